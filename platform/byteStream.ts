import { asBytes } from '../src/bytes/binary.js';
import { UnsupportedError } from '../src/errors.js';

/** What a stream does, beside `locked`; some engines lack the last three. */
const METHODS = [
  'cancel',
  'getReader',
  'pipeTo',
  'pipeThrough',
  'tee',
  'values',
  Symbol.asyncIterator,
] as const satisfies readonly (keyof ReadableStream)[];

/**
 * Lets `getReader({ mode: 'byob' })` of a stream of bytes work: the bytes are copied into the caller's memory. It is no
 * byte stream of the engine, because those transfer the memory of every chunk, which its owner may share: a source of
 * bytes in memory gives views of them.
 *
 * From the first such reader on, an inner byte stream does all that the stream did, because it may have the rest of a
 * chunk when the reader is released.
 * @returns the same stream
 */
export function withByteReaders(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const open = stream.getReader.bind(stream) as (options?: object) => ReadableStreamDefaultReader<Uint8Array>;
  const getReader = (options?: ReadableStreamGetReaderOptions) => {
    if (options?.mode !== 'byob') return open(options);
    const inner = byteStream(open);
    for (const name of METHODS) {
      const method: unknown = inner[name];
      if (typeof method === 'function') Object.defineProperty(stream, name, { value: method.bind(inner) });
    }
    Object.defineProperty(stream, 'locked', { get: () => inner.locked });
    return inner.getReader(options as { mode: 'byob' });
  };
  return Object.defineProperty(stream, 'getReader', { value: getReader, configurable: true });
}

/** @throws UnsupportedError where the engine has no byte streams; nothing is opened then */
function byteStream(open: () => ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array>;
  let rest = new Uint8Array(0);
  const source: UnderlyingByteSource = {
    type: 'bytes',
    async pull(controller) {
      while (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          // Gives the memory of a waiting reader back.
          controller.byobRequest?.respond(0);
          return;
        }
        rest = asBytes(value) as Uint8Array<ArrayBuffer>;
      }
      const request = controller.byobRequest;
      const view = request?.view;
      if (!request || !view) {
        // A copy: the stream takes the memory of the chunk.
        controller.enqueue(new Uint8Array(rest));
        rest = new Uint8Array(0);
        return;
      }
      const part = rest.subarray(0, view.byteLength);
      new Uint8Array(view.buffer, view.byteOffset, part.length).set(part);
      rest = rest.subarray(part.length);
      request.respond(part.length);
    },
    cancel: (reason) => reader.cancel(reason),
  };
  let stream: ReadableStream<Uint8Array>;
  try {
    stream = new ReadableStream(source, { highWaterMark: 0 });
  } catch (cause) {
    throw new UnsupportedError('Cannot make a byte reader: this engine has no byte streams', { cause });
  }
  reader = open();
  return stream;
}
