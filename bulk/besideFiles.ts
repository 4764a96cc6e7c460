import { realpath } from 'node:fs/promises';
import { extname } from 'node:path';
import { argumentPlace } from '../sources/hub.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { ArgumentError } from '../src/errors.js';
import type { BulkModel } from './models.js';
import type { OpenedModel } from './openModel.js';
import { S3_URL } from './storage/openStorage.js';
import type { BulkStorage } from './storage/storage.js';

/**
 * What a model has beside its weights: the graph of an ONNX model. It becomes an object beside the model file, as `holostream
 * encode` writes it.
 */
interface BesideContext {
  readonly opened: Pick<OpenedModel, 'beside'>;
  readonly storage: BulkStorage;
}

/** Named after the model file, so that models with different outputs never share one: `net.holo.safetensors`, `net.onnx`. */
function keyOf(output: string, name: string): string {
  return output.replace(/\.holo\.safetensors$/, '') + extname(name);
}

/**
 * @param taken keys of objects of other models: those of the graph are added
 * @throws ArgumentError for an output whose graph would replace the model that it is made from, or an object of another one
 */
export async function checkBeside(
  { opened, storage }: BesideContext,
  { sources, output }: BulkModel,
  taken: Set<string>,
): Promise<void> {
  const own = await Promise.all(sources.map(sourcePlace));
  for (const { name } of opened.beside) {
    const key = keyOf(output, name);
    if (taken.has(key)) {
      throw new ArgumentError(
        'Cannot write the graph of the model: another model has an object of that name',
        {
          name: key,
        },
      );
    }
    taken.add(key);
    const place = await sourcePlace(`${storage.url}/${key}`);
    if (place !== undefined && own.includes(place)) {
      throw new ArgumentError('Cannot write the graph of the model: it would replace the model itself', {
        name: key,
      });
    }
  }
}

/** Undefined for what is neither a file that exists nor an object. */
async function sourcePlace(source: string): Promise<string | undefined> {
  if (S3_URL.test(source)) return source;
  const { path } = argumentPlace(source);
  return path === undefined ? undefined : await realpath(path).catch(() => undefined);
}

/** Whether the storage has all of them. Their bytes are those of the model, whose version is checked elsewhere. */
export async function hasBeside(
  { opened, storage }: BesideContext,
  output: string,
  options: AbortOptions,
): Promise<boolean> {
  const found = await Promise.all(
    opened.beside.map(async ({ name, source }) => {
      const object = await storage.head(keyOf(output, name), options);
      return object !== undefined && object.size === source.size;
    }),
  );
  return found.every(Boolean);
}

/** Writes them in windows: they may be larger than memory. */
export async function writeBeside(
  { opened, storage }: BesideContext,
  output: string,
  { signal }: AbortOptions,
): Promise<void> {
  for (const { name, source } of opened.beside) {
    const upload = await storage.upload(keyOf(output, name), { size: source.size!, signal });
    try {
      for await (const bytes of source.stream({ signal })) await upload.write(bytes);
      await upload.complete();
    } catch (error) {
      await upload.abort().catch(() => {});
      throw error;
    }
  }
}
