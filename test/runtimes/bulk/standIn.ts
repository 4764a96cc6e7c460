import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A storage with the API of S3, as far as it is used, that fails as storages do: conditions, errors, slow and broken uploads. */
export interface StandIn extends AsyncDisposable {
  readonly url: string;
  readonly objects: Map<string, Buffer>;
  /** Multipart uploads that are neither complete nor aborted. */
  readonly uploads: ReadonlyMap<string, ReadonlyMap<number, Buffer>>;
  /** `PUT key`, `PART key 3`, …: requests that were done. */
  readonly done: string[];
  /** The same of those whose connection was cut in mid-upload. */
  readonly cut: string[];
  faults: Faults;
}

export interface Faults {
  /** Every n-th request is answered by this status. */
  readonly every?: readonly (readonly [number, number])[];
  /** Milliseconds before a part is taken. */
  readonly partDelay?: number;
  /** The response to an upload that has begun does not come. */
  readonly beginsInSilence?: boolean;
  /** Of units, and of parts, the connection of the first and then of every n-th is cut when some of its bytes have come. */
  readonly cutEvery?: number;
  /** Milliseconds before each further chunk of an upload is taken. */
  readonly chunkDelay?: number;
  /** Conditions are ignored, as by some services. */
  readonly ignoresConditions?: boolean;
}

type Uploads = Map<string, Map<number, Buffer> & { readonly key: string }>;

export async function standIn(): Promise<StandIn> {
  const objects = new Map<string, Buffer>();
  const uploads: Uploads = new Map();
  const done: string[] = [];
  const cut: string[] = [];
  const storage = { objects, uploads, done, cut, faults: {} as Faults };
  const large = new Map<string, number>();
  let count = 0;
  /** Of what comes in more than one chunk. */
  const isCut = ({ method, url = '', headers }: IncomingMessage): boolean => {
    const { cutEvery } = storage.faults;
    if (cutEvery === undefined || method !== 'PUT' || Number(headers['content-length']) < 2 ** 17)
      return false;
    const kind = url.includes('partNumber') ? 'PART' : 'PUT';
    const before = large.get(kind) ?? 0;
    large.set(kind, before + 1);
    if (before % cutEvery !== 0) return false;
    cut.push(`${kind} ${url}`);
    return true;
  };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request, storage.faults.chunkDelay, isCut(request));
    if (body === undefined) return;
    count++;
    const failure = storage.faults.every?.find(([n]) => count % n === 0);
    if (failure !== undefined) {
      reply(response, failure[1], error('SlowDown'));
      return;
    }
    const url = new URL(request.url ?? '/', 'http://storage');
    const key = decodeURIComponent(url.pathname).split('/').slice(2).join('/');
    if (url.searchParams.has('partNumber') && storage.faults.partDelay !== undefined)
      await new Promise((resolve) => setTimeout(resolve, storage.faults.partDelay));
    answer(storage, request, response, key, url.searchParams, body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(storage, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
}

function answer(
  {
    objects,
    uploads,
    done,
    faults,
  }: Pick<StandIn, 'faults' | 'done' | 'objects'> & {
    readonly uploads: Uploads;
  },
  { method = '', headers }: IncomingMessage,
  response: ServerResponse,
  key: string,
  query: URLSearchParams,
  body: Buffer,
): ServerResponse {
  const id = query.get('uploadId') ?? '';
  const found = objects.get(key);
  if (query.has('list-type')) return list(objects, query, response);
  if (method === 'GET' && query.has('uploads')) return listUploads(uploads, query, response);
  const isUpload = query.has('uploads') || id !== '';
  if (isUpload) {
    if (method === 'POST' && query.has('uploads')) {
      const created = randomUUID();
      uploads.set(created, Object.assign(new Map<number, Buffer>(), { key }));
      if (faults.beginsInSilence) return response;
      return reply(response, 200, `<R><UploadId>${created}</UploadId></R>`);
    }
    const parts = uploads.get(id);
    if (parts === undefined) return reply(response, 404, error('NoSuchUpload'));
    const sorted = [...parts].sort(([a], [b]) => a - b);
    if (method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body);
      done.push(`PART ${key} ${query.get('partNumber')}`);
      return reply(response, 200, '', { ETag: etag(body) });
    }
    if (method === 'GET') {
      const list = sorted.map(
        ([n, part]) =>
          `<Part><PartNumber>${n}</PartNumber><ETag>${etag(part)}</ETag><Size>${part.length}</Size></Part>`,
      );
      return reply(response, 200, `<R>${list.join('')}<IsTruncated>false</IsTruncated></R>`);
    }
    uploads.delete(id);
    if (method === 'DELETE') return reply(response, 204, '');
    objects.set(key, Buffer.concat(sorted.map(([, part]) => part)));
    done.push(`COMPLETE ${key}`);
    return reply(response, 200, `<R><ETag>${etag(body)}</ETag></R>`);
  }
  if (method === 'PUT') {
    if (headers['if-none-match'] === '*' && found !== undefined && !faults.ignoresConditions)
      return reply(response, 412, error('PreconditionFailed'));
    objects.set(key, body);
    done.push(`PUT ${key}`);
    return reply(response, 200, '', { ETag: etag(body) });
  }
  if (method === 'DELETE') {
    objects.delete(key);
    return reply(response, 204, '');
  }
  if (found === undefined) return reply(response, 404, method === 'HEAD' ? '' : error('NoSuchKey'));
  const [, start = '0', end = String(found.length - 1)] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
  const part = method === 'HEAD' ? found : found.subarray(Number(start), Number(end) + 1);
  response.writeHead(headers.range === undefined ? 200 : 206, {
    ETag: etag(found),
    'Content-Length': part.length,
    ...(headers.range !== undefined && { 'Content-Range': `bytes ${start}-${end}/${found.length}` }),
  });
  return response.end(method === 'HEAD' ? undefined : part);
}

const PAGE = 20;

/** A page of keys; all objects are of the year 2000. */
function list(
  objects: ReadonlyMap<string, Buffer>,
  query: URLSearchParams,
  response: ServerResponse,
): ServerResponse {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('continuation-token') ?? ''];
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const shown = keys.slice(0, PAGE).map((key) => {
    const size = objects.get(key)!.length;
    return `<Contents><Key>${key}</Key><LastModified>2000-01-01T00:00:00.000Z</LastModified><Size>${size}</Size></Contents>`;
  });
  const next = keys.length > PAGE ? `<NextContinuationToken>${keys[PAGE - 1]}</NextContinuationToken>` : '';
  const more = `<IsTruncated>${keys.length > PAGE}</IsTruncated>${next}`;
  return reply(response, 200, `<ListBucketResult>${shown.join('')}${more}</ListBucketResult>`);
}

/** A page of one upload; all are of the year 2000. */
function listUploads(uploads: Uploads, query: URLSearchParams, response: ServerResponse): ServerResponse {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('upload-id-marker') ?? ''];
  const found = [...uploads].filter(([id, { key }]) => key.startsWith(prefix) && id > after).sort();
  const shown = found.slice(0, 1).map(([id, { key }]) => {
    const next = `<NextKeyMarker>${key}</NextKeyMarker><NextUploadIdMarker>${id}</NextUploadIdMarker>`;
    const time = '<Initiated>2000-01-01T00:00:00.000Z</Initiated>';
    return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId>${time}</Upload>${next}`;
  });
  const more = `<IsTruncated>${found.length > 1}</IsTruncated>`;
  return reply(response, 200, `<R>${shown.join('')}${more}</R>`);
}

/** Undefined when the client has gone before its end, or was cut off. */
async function bodyOf(
  request: IncomingMessage,
  delay: number | undefined,
  isCut: boolean,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      if (isCut) request.socket.destroy();
      else if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
    }
    if (isCut) return undefined;
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): ServerResponse {
  response.writeHead(status, { 'Content-Type': 'application/xml', ...headers });
  return response.end(status === 204 ? undefined : body);
}

const error = (code: string) => `<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
const etag = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`;
