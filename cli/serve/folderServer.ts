import { constants, createReadStream, type Stats } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type RequestedRange, requestedRange } from '../../models/plain/response.js';
import { quote } from '../../src/errors/show.js';
import { DataError } from '../failure.js';
import { type ListedFile, listingPage } from './listing.js';
import { Pace } from './pace.js';

export interface FolderServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Bytes per second of all responses together. */
  readonly rate?: number | undefined;
}

export interface FolderServer extends AsyncDisposable {
  readonly url: string;
}

/** What pages of other origins may see and send: `docs/hosting.md` says why. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Content-Range, ETag, Last-Modified',
  'cross-origin-resource-policy': 'cross-origin',
} as const;

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD',
  'access-control-allow-headers': 'Range, If-Range, If-None-Match, Authorization',
  'access-control-max-age': '86400',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  mjs: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
};

/** Serves the files of a folder: ranges, entity tags, CORS; nothing that is hidden, or that links lead out of it. */
export async function serveFolder(
  folder: string,
  { host, port, rate }: FolderServerOptions,
): Promise<FolderServer> {
  const root = await realpath(folder).catch((cause) => {
    throw new DataError(`Cannot serve ${quote(folder)}: no such folder`, { cause });
  });
  await readdir(root).catch((cause) => {
    throw new DataError(`Cannot serve ${quote(folder)}: it cannot be read as a folder`, { cause });
  });
  const pace = rate === undefined ? undefined : new Pace(rate);
  const server = createServer((request, response) => {
    respond(root, request, response, pace).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(`${host}:${port}`, cause)));
    server.listen(port, host, resolve);
  });
  const { port: chosen, address, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** In words of ours for what users meet; else, those of the system follow the message. */
function cannotListen(address: string, cause: NodeJS.ErrnoException): DataError {
  const what = `Cannot listen at ${address}`;
  if (cause.code === 'EADDRINUSE') {
    return new DataError(`${what}: the port is in use (--port takes another one, 0 any that is free)`);
  }
  return new DataError(what, { cause });
}

async function respond(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  pace: Pace | undefined,
): Promise<void> {
  const { method = '' } = request;
  if (method === 'OPTIONS') return void response.writeHead(204, { ...CORS, ...PREFLIGHT }).end();
  if (method !== 'GET' && method !== 'HEAD') {
    return void response.writeHead(405, { ...CORS, allow: 'GET, HEAD, OPTIONS' }).end();
  }
  const path = await pathWithin(root, request.url ?? '/');
  const file = path === undefined ? undefined : await openFile(path);
  if (file === undefined) return sendListing(root, request, response);
  try {
    await sendFile(file, path!, request, response, pace);
  } finally {
    await file.handle.close();
  }
}

/** The path of a file that a request may see; undefined for any other. */
async function pathWithin(
  root: string,
  target: string,
  ofFolder = 'index.html',
): Promise<string | undefined> {
  let name: string;
  try {
    name = decodeURIComponent(target.split(/[?#]/, 1)[0]!);
  } catch {
    return undefined;
  }
  const parts = name.split('/').filter((part) => part !== '');
  // A part that begins with a dot is hidden, or leads up; a backslash separates on Windows, a colon names a stream there.
  if (parts.some((part) => part.startsWith('.') || /[\\:\0]/.test(part))) return undefined;
  const wanted = join(root, ...parts, ...(name.endsWith('/') ? [ofFolder] : []));
  const path = await realpath(wanted).catch(() => undefined);
  if (path === root) return root;
  const start = root.endsWith(sep) ? root : root + sep;
  if (path?.startsWith(start) !== true) return undefined;
  // Links within the folder may lead to what is hidden.
  return path
    .slice(start.length)
    .split(sep)
    .some((part) => part.startsWith('.'))
    ? undefined
    : path;
}

/** The files of a folder that has no index.html, or where its URL begins if that lacks the slash; 404 for anything else. */
async function sendListing(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [target = '/', query] = (request.url ?? '/').split(/[?#]/);
  const folder = await pathWithin(root, target, '.');
  const names = folder === undefined ? undefined : await readdir(folder).catch(() => undefined);
  if (names !== undefined && !target.endsWith('/')) {
    // Without the slash, links in the page would lead elsewhere. The place is relative: it cannot lead to another host.
    const location = `./${target.slice(target.lastIndexOf('/') + 1)}/${query === undefined ? '' : `?${query}`}`;
    return void response.writeHead(301, { ...CORS, location }).end();
  }
  if (names === undefined) {
    return void response.writeHead(404, { ...CORS, 'content-type': 'text/plain' }).end('Not found\n');
  }
  const listed: ListedFile[] = [];
  for (const name of names.sort()) {
    // What is listed is what is served.
    const path = await pathWithin(root, target + encodeURIComponent(name));
    const stats = path === undefined ? undefined : await stat(path).catch(() => undefined);
    if (stats?.isFile() || stats?.isDirectory())
      listed.push({ name, size: stats.isFile() ? stats.size : undefined });
  }
  const page = Buffer.from(listingPage(decodeURIComponent(target), listed));
  response.writeHead(200, {
    ...CORS,
    ...{ 'content-type': TYPES.html!, 'content-length': page.length, 'cache-control': 'no-cache' },
    'content-security-policy': "default-src 'none'",
  });
  response.end(request.method === 'HEAD' ? undefined : page);
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/** Opening a pipe does not wait for its writer. Windows has neither the pipes nor the flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** The facts and the bytes are those of one file, though it may be replaced meanwhile. */
async function openFile(path: string): Promise<OpenFile | undefined> {
  const handle = await open(path, FLAGS).catch(() => undefined);
  if (handle === undefined) return undefined;
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, stats };
  await handle.close();
  return undefined;
}

async function sendFile(
  { handle, stats }: OpenFile,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  pace: Pace | undefined,
): Promise<void> {
  const { size, mtime, mtimeMs, ino } = stats;
  const etag = `"${[ino, size, Math.round(mtimeMs)].map((part) => part.toString(36)).join('-')}"`;
  const common = {
    ...CORS,
    ...{ etag, 'last-modified': mtime.toUTCString(), 'accept-ranges': 'bytes', 'cache-control': 'no-cache' },
    'content-type': TYPES[/\.(\w+)$/.exec(path)?.[1] ?? ''] ?? 'application/octet-stream',
    'x-content-type-options': 'nosniff',
  };
  const { range: header, 'if-range': condition, 'if-none-match': known } = request.headers;
  if (known?.split(/,\s*/).some((tag) => tag === etag || tag === '*')) {
    return void response.writeHead(304, common).end();
  }
  const isSame = condition === undefined || condition === etag || condition === common['last-modified'];
  const range = isSame ? rangeOf(header, size) : undefined;
  if (range === 'unsatisfiable') {
    return void response.writeHead(416, { ...common, 'content-range': `bytes */${size}` }).end();
  }
  const { start, end } = range ?? { start: 0, end: size };
  response.writeHead(range === undefined ? 200 : 206, {
    ...common,
    'content-length': end - start,
    ...(range !== undefined && { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
  });
  if (request.method === 'HEAD' || start === end) return void response.end();
  const bytes = createReadStream(path, { fd: handle, autoClose: false, start, end: end - 1 });
  const ended = pace === undefined ? pipeline(bytes, response) : pipeline(bytes, pace.stream(), response);
  // A client that goes away ends its response.
  await ended.catch(() => {});
}

/** One range, as holostream requests it. For several, and for what is no range, the response is the whole file. */
function rangeOf(header: string | undefined, size: number): RequestedRange {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  return requestedRange(size, first, last);
}
