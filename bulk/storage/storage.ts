import { randomAccessSource } from '../../sources/randomAccess.js';
import { parseJson } from '../../src/bytes/json.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { having, type Rule } from '../../src/checks/options.js';
import { SourceError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';

export interface UploadOptions extends AbortOptions {
  /** Bytes that the object will have. */
  readonly size: number;
  /** What an earlier upload of the same bytes has said of itself, see {@link BulkUpload.state}. */
  readonly resume?: string | undefined;
}

/** An object that is written in order, and exists once it is complete. */
export interface BulkUpload {
  /** Bytes that an earlier upload has left: writing goes on there. */
  readonly offset: number;
  /** To resume it by; undefined where an interrupted upload begins anew. */
  readonly state: string | undefined;
  /** Adds bytes; resolves when more can be taken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the object appear, whole. */
  complete(): Promise<void>;
  /** Stops, and keeps what has been uploaded for a later run, if the upload can be resumed. */
  pause(): Promise<void>;
  /** Stops, and deletes what has been uploaded. */
  abort(): Promise<void>;
}

/** What a storage says of an object without reading it. */
export interface StoredObject {
  readonly size: number;
  /** Changes when the bytes do, where the storage has such a text. */
  readonly version?: string | undefined;
}

/** An object as a list of the storage has it. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** When it was written: milliseconds since 1970. */
  readonly modified: number;
}

export interface AbortUploadsOptions extends AbortOptions {
  /** Only of those that were begun before: milliseconds since 1970. Default: all. */
  readonly before?: number | undefined;
}

export interface ReadObjectOptions extends AbortOptions {
  /** Fails if the object has another version. */
  readonly version?: string | undefined;
}

/**
 * Where results of a bulk conversion are: a folder, a bucket. Keys are names with slashes between them. No method shows an
 * object to others before it is whole. Errors are a `SourceError` from what reads and a `SinkError` from what writes.
 */
export interface BulkStorage {
  /** Its URL or path, by which `openBulkStorage` opens it again in another process. */
  readonly url: string;
  /** What is known of an object without its bytes; undefined when it does not exist. */
  head(key: string, options?: AbortOptions): Promise<StoredObject | undefined>;
  /** A small object; undefined when it does not exist. */
  get(key: string, options?: AbortOptions): Promise<Uint8Array | undefined>;
  /** Exactly `length` bytes of an object that exists. */
  read(key: string, offset: number, length: number, options?: ReadObjectOptions): Promise<Uint8Array>;
  /** Writes an object, whole, in place of one of that key. */
  put(key: string, bytes: Uint8Array, options?: AbortOptions): Promise<void>;
  /**
   * Writes an object unless it exists, where the storage can tell: others write it anew.
   * @returns whether this call has written it
   */
  create(key: string, bytes: Uint8Array, options?: AbortOptions): Promise<boolean>;
  /** Begins an object that is written in parts, or resumes it. */
  upload(key: string, options: UploadOptions): Promise<BulkUpload>;
  /**
   * Deletes what uploads of an object have left that were neither completed nor aborted. Of a storage in which nothing is left,
   * undefined.
   */
  abortUploads?(key: string, options?: AbortUploadsOptions): Promise<void>;
  /** Deletes an object, if there is one. */
  remove(key: string, options?: AbortOptions): Promise<void>;
  /** All objects whose keys begin with these names, which end with a slash; those of one folder follow each other. */
  list(prefix: string, options?: AbortOptions): AsyncIterable<ListedObject>;
}

export const STORAGE: Rule<BulkStorage> = /* @__PURE__ */ having(
  'upload',
  'a storage, such as await folderStorage(path)',
);

/** Cap on what `get` returns. Records of 65,535 fragments for each tensor of a unit are far smaller. */
export const MAX_RECORD_BYTES = 2 ** 28;

/** An object as a source. @throws SourceError, with status 404 when it does not exist */
export async function objectSource(
  storage: BulkStorage,
  key: string,
  options: AbortOptions,
): Promise<RandomAccessSource> {
  const name = `${storage.url}/${key}`;
  const found = await storage.head(key, options);
  if (found === undefined)
    throw new SourceError('Cannot open the object: it does not exist', { name, status: 404 });
  const { size, version } = found;
  return {
    ...randomAccessSource(
      size,
      (offset, length, { signal }) => storage.read(key, offset, length, { version, signal }),
      name,
    ),
    id: name,
    version: async () => version,
  };
}

/**
 * A small object in JSON that holostream has written; undefined when it does not exist.
 * @throws FormatError for what is no JSON, SourceError
 */
export async function readJson(
  storage: BulkStorage,
  key: string,
  options: AbortOptions,
): Promise<unknown | undefined> {
  const bytes = await storage.get(key, options);
  return bytes && parseJson(bytes, 'Cannot read the record', MAX_RECORD_BYTES, key);
}

export function writeJson(
  storage: BulkStorage,
  key: string,
  value: object,
  options: AbortOptions,
): Promise<void> {
  return storage.put(key, new TextEncoder().encode(JSON.stringify(value)), options);
}
