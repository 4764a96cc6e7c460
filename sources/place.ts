import { nodeModule } from '../platform/nodeModule.js';
import { pathOfUrl } from '../platform/path.js';
import { SourceError } from '../src/errors.js';
import type { RandomAccessSource } from '../src/source.js';
import { type HttpSourceOptions, serverSource } from './http/httpSource.js';
import { requestUrl } from './http/url.js';

/** Where a file is that is named by a text: on a web server, or on disk. */
export interface Place {
  /** The last part of the URL or path; empty for one that ends in a slash. */
  readonly name: string;
  /** The URL or path of the folder, for messages. */
  readonly folder: string;
  /** Of a file or folder on disk. */
  readonly path: string | undefined;
  open(): RandomAccessSource | Promise<RandomAccessSource>;
  /** Opens the file of this plain name in the same folder. */
  openBeside(name: string): RandomAccessSource | Promise<RandomAccessSource>;
}

/** A scheme of one letter is a drive of Windows. */
const URL_TEXT = /^([a-z][a-z0-9+.-]+:\/\/|(file|blob|data):)/i;

/**
 * The place that a text names. One that begins with a scheme and `://`, or with `file:`, is a URL. Any other is a path
 * where there are files (Node, Deno, Bun), and in browsers relative to the page or worker.
 * @param isOwn see `serverSource`
 * @throws ArgumentError for a URL that cannot be requested
 */
export function placeOf(input: string | URL, http?: HttpSourceOptions, isOwn?: boolean): Place {
  const text = String(input);
  const isUrl = typeof input !== 'string' || URL_TEXT.test(text);
  // Where a program in Node has a document (jsdom, Electron), it is a page.
  const isPath = !isUrl && globalThis.document === undefined;
  const path = nodeModule('node:path');
  if (path !== undefined && isPath) return pathPlace(text, path);
  if (path !== undefined && /^file:/i.test(text)) return pathPlace(pathOfUrl(text), path);
  return urlPlace(requestUrl(text), http, isOwn);
}

function urlPlace(url: URL, http: HttpSourceOptions | undefined, isOwn: boolean | undefined): Place {
  const [file = ''] = url.href.split(/[?#]/);
  const onServer = (at: URL) => serverSource(at, http, isOwn);
  const nameStart = file.lastIndexOf('/') + 1;
  return {
    name: decoded(file.slice(nameStart)),
    folder: file.slice(0, nameStart),
    path: undefined,
    open: () => (/^(blob|data):$/.test(url.protocol) ? openMemory(url, http) : onServer(url)),
    openBeside: (name) => onServer(new URL(encodeURIComponent(name), url)),
  };
}

/** As it is written where that is no escaped text: servers decide what they take. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A URL of bytes that are here already: no server, no ranges (Node's are wrong by a byte). */
async function openMemory({ href }: URL, http: HttpSourceOptions | undefined): Promise<RandomAccessSource> {
  const { blobSource } = await import('./openBytesOnDemand.js');
  try {
    const response = await (http?.fetch ?? fetch)(href);
    return blobSource(await response.blob());
  } catch (cause) {
    throw new SourceError('Cannot read the bytes of this URL', { file: href, cause });
  }
}

function pathPlace(path: string, { basename, dirname, join, sep }: typeof import('node:path')): Place {
  const isFolder = path.endsWith('/') || path.endsWith(sep);
  const folder = isFolder ? path : dirname(path);
  return {
    name: isFolder ? '' : basename(path),
    folder,
    path,
    open: () => openFile(path),
    openBeside: (name) => openFile(join(folder, name)),
  };
}

/** Loaded on demand: pages have no files. */
async function openFile(path: string): Promise<RandomAccessSource> {
  const { fileSource } = await import('./file.js');
  return fileSource(path);
}
