import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import { withCoalescing } from '../../sources/coalesce.js';
import { fileSource } from '../../sources/file.js';
import { httpSource } from '../../sources/http/httpSource.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { SourceError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { Random } from '../helpers/random.js';
import { chunked } from '../helpers/streams.js';
import type { StoredModel } from './models.js';
import { NETWORK_NAMES, type Network, networkOf } from './networks.js';
import type { Stage } from './stage.js';

/** A way to open a model, with all that was chosen. */
export interface Opening {
  readonly name: string;
  /** Errors that may come of it, until the model is closed. */
  readonly errors: Network['errors'];
  /** Rows are given, or verified, only after a load. */
  readonly loadsFirst?: boolean;
  open(options: AbortOptions): Promise<OpenedModel>;
}

export interface OpenedModel {
  readonly model: Model;
  /** Closes it, and what was opened for it. */
  close(): Promise<void>;
}

/** Retries that do not take long. */
const RETRY = { delay: 1, maxDelay: 20 };

const CHUNK = 8192;

export function chooseOpening(stage: Stage, stored: StoredModel, random: Random): Opening {
  const chooser = random.pick([overNetwork, overNetwork, overNetwork, throughCache, onDisk, inMemory]);
  return chooser(stage, stored, random);
}

function overNetwork({ server, files }: Stage, { path, form, sealed }: StoredModel, random: Random): Opening {
  const verified = form === 'file' && !sealed && random.once(2);
  const names = NETWORK_NAMES.filter((name) => sealed || verified || !networkOf(name).damages);
  const name = random.pick(names);
  const { errors, idleTimeout } = networkOf(name);
  const url = `${server.urlOf(name, random.uint32())}${path}`;
  const http = { retry: RETRY, idleTimeout };
  const integrity = verified ? createHash('sha256').update(files.get(path)!).digest('hex') : undefined;
  const asSource = form === 'file' && !verified && random.once(4);
  return {
    name: `${name}${verified ? ', integrity' : ''}${asSource ? ', coalesced' : ''}`,
    errors,
    loadsFirst: verified || networkOf(name).damages === true,
    open: (options) =>
      asSource
        ? openSource(withCoalescing(httpSource(url, http)), options)
        : open(url, { ...options, http, integrity }),
  };
}

/** All jobs ask for the same URL. */
function throughCache({ server, cache }: Stage, { path }: StoredModel, random: Random): Opening {
  const url = `${server.urlOf('steady', 0)}${path}`;
  const offline = random.pick([false, 'fallback', true] as const);
  return {
    name: `cache, offline ${offline}`,
    // Some of it may have been evicted, or was never there.
    errors: offline === true ? [SourceError] : [],
    open: (options) => open(url, { ...options, http: { retry: RETRY }, cache, offline }),
  };
}

function onDisk({ folder }: Stage, { path, form }: StoredModel, random: Random): Opening {
  const file = join(folder, path);
  const asSource = form === 'file' && random.once(2);
  return {
    name: asSource ? 'fileSource' : 'disk',
    errors: [],
    open: async (options) => (asSource ? openSource(await fileSource(file), options) : open(file, options)),
  };
}

function inMemory(stage: Stage, { path, form }: StoredModel, random: Random): Opening {
  const { server, files } = stage;
  const bytesOf = (name: string) => files.get(name) as Uint8Array<ArrayBuffer> | undefined;
  const kinds = {
    bytes: bytesOf,
    Blob: (name: string) => ofBytes(bytesOf(name), (bytes) => new Blob([bytes])),
    stream: (name: string) => ofBytes(bytesOf(name), (bytes) => chunked(bytes, CHUNK)),
    Response: async (name: string) => {
      const response = await fetch(`${server.urlOf('steady', 0)}${name}`);
      if (response.ok) return response;
      await response.body?.cancel();
      return undefined;
    },
  };
  const kind = random.pick(Object.keys(kinds) as (keyof typeof kinds)[]);
  const input = async (name: string) => kinds[kind](name);
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return {
    name: kind,
    errors: [],
    open: async (options) =>
      open(form === 'file' ? (await input(path))! : (name) => input(`${folder}${name}`), options),
  };
}

function ofBytes<T>(bytes: Uint8Array<ArrayBuffer> | undefined, make: (bytes: Uint8Array<ArrayBuffer>) => T) {
  return bytes === undefined ? undefined : make(bytes);
}

async function open(...args: Parameters<typeof openModel>): Promise<OpenedModel> {
  const model = await openModel(...args);
  return { model, close: () => model.close() };
}

/** A source belongs to the caller. */
async function openSource(source: RandomAccessSource, options: AbortOptions): Promise<OpenedModel> {
  try {
    const model = await openModel(source, options);
    const close = async () => {
      await model.close();
      await source.close?.();
    };
    return { model, close };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
