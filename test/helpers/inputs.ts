import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import * as ponyfill from 'web-streams-polyfill';
import type { ByteStreamLike } from '../../platform/byteReader.js';
import { chunked, streamOf } from './streams.js';

/** Another realm, as a frame or a test environment is one: its classes are not ours. */
const realm = runInNewContext('({ Uint8Array, Float32Array, ArrayBuffer, SharedArrayBuffer, DataView })') as {
  readonly Uint8Array: typeof Uint8Array;
  readonly Float32Array: typeof Float32Array;
  readonly ArrayBuffer: typeof ArrayBuffer;
  readonly SharedArrayBuffer: typeof SharedArrayBuffer;
  readonly DataView: typeof DataView;
};

const SIZE = 100;

/** The same bytes in memory, in all forms that bytes have. Their number must be a multiple of 8. */
export function inMemory(
  bytes: Uint8Array,
): Record<string, Uint8Array | DataView | ArrayBufferView | ArrayBufferLike> {
  const copy = (into: ArrayBufferLike, offset = 0) => {
    new Uint8Array(into).set(bytes, offset);
    return into;
  };
  const shifted = copy(new ArrayBuffer(bytes.length + 24), 8);
  const own = () => copy(new ArrayBuffer(bytes.length));
  const foreign = copy(new realm.ArrayBuffer(bytes.length));
  return {
    'a Uint8Array': bytes,
    'a part of a larger one': new Uint8Array(shifted, 8, bytes.length),
    'a Buffer': Buffer.concat([Buffer.alloc(3), bytes]).subarray(3),
    'a Uint8ClampedArray': new Uint8ClampedArray(own()),
    'a Float32Array': new Float32Array(shifted, 8, bytes.length / 4),
    'a BigInt64Array': new BigInt64Array(own()),
    'a DataView': new DataView(shifted, 8, bytes.length),
    'an ArrayBuffer': own(),
    'a SharedArrayBuffer': copy(new SharedArrayBuffer(bytes.length)),
    'a view of shared memory': new Uint16Array(copy(new SharedArrayBuffer(bytes.length))),
    'a Uint8Array of another realm': new realm.Uint8Array(foreign),
    'a Float32Array of another realm': new realm.Float32Array(foreign),
    'a DataView of another realm': new realm.DataView(foreign),
    'an ArrayBuffer of another realm': foreign,
    'a SharedArrayBuffer of another realm': copy(new realm.SharedArrayBuffer(bytes.length)),
  };
}

/** The same bytes as all that gives them from start to end. Each function makes a fresh one. */
export function inOrder(bytes: Uint8Array<ArrayBuffer>): Record<string, () => ByteStreamLike> {
  const parts = () => {
    const [first, second] = [bytes.slice(0, SIZE).buffer, bytes.slice(SIZE)];
    return [first, new DataView(second.buffer, 0, 0), Buffer.from(second)];
  };
  const blob = () => new Blob([bytes]);
  const as = (value: object) => value as ByteStreamLike;
  return {
    'a ReadableStream': () => chunked(bytes, SIZE),
    'a byte stream': () => blob().stream(),
    'a stream of ArrayBuffers': () => streamOf(...parts()),
    'a stream of a ponyfill': () =>
      as(
        new ponyfill.ReadableStream({
          start(controller) {
            for (const part of parts()) controller.enqueue(part);
            controller.close();
          },
        }),
      ),
    'a Response': () => new Response(bytes),
    'a Response of which streams are not known': () =>
      as({ ok: true, status: 200, body: undefined, arrayBuffer: async () => bytes.slice().buffer }),
    'a Response with a body of Node': () =>
      as({ ok: true, status: 200, body: Readable.from(parts().map(buffer)) }),
    'a Request': () => as(new Request('http://localhost', { method: 'POST', body: bytes })),
    'a Blob': blob,
    'a File': () => new File([bytes], 'a.hct'),
    'a handle of a file': () =>
      as({ kind: 'file', name: 'a.hct', getFile: async () => new File([bytes], 'a.hct') }),
    'a Readable of Node': () => Readable.from(parts().map(buffer)),
    'an asynchronous generator': async function* () {
      yield* parts();
    } as () => AsyncIterable<Uint8Array>,
    'a generator': function* () {
      yield* parts();
    } as () => Iterable<Uint8Array>,
    'an array of chunks': parts,
    'what has only arrayBuffer()': () => ({ arrayBuffer: async () => bytes.slice().buffer }),
  };
}

function buffer(part: ArrayBuffer | DataView | Buffer): Buffer {
  return Buffer.from(
    ArrayBuffer.isView(part)
      ? new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
      : new Uint8Array(part),
  );
}
