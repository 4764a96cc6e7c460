import { type ByteStreamLike, byteReader } from '../platform/byteReader.js';
import { UnsupportedError } from '../src/errors.js';

/**
 * The engine's stream classes, for ours to extend. An engine without them can import holostream all the same: only
 * making a stream throws there.
 */
export const BaseTransformStream: typeof TransformStream =
  globalThis.TransformStream ?? standIn('TransformStream');
export const BaseWritableStream: typeof WritableStream =
  globalThis.WritableStream ?? standIn('WritableStream');

/**
 * The bytes of anything that gives some, in a stream of the engine's class. A stream of another implementation (a
 * ponyfill's, or the engine's where a polyfill has replaced it) cannot be piped into ours. Nothing is read ahead.
 */
export function ownStream(input: ByteStreamLike): ReadableStream<Uint8Array> {
  const reader = byteReader(input);
  let closed = false;
  const close = async (reason?: unknown) => {
    if (closed) return;
    closed = true;
    await reader.close?.(reason);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await reader.next();
          if (chunk !== undefined) return controller.enqueue(chunk);
          await close();
          controller.close();
        } catch (error) {
          // The first error counts.
          close(error).catch(() => {});
          throw error;
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}

function standIn(name: string): never {
  const StandIn = class {
    constructor() {
      throw new UnsupportedError(
        `Cannot make a stream: this engine has no ${name}; import "holostream/polyfill" before holostream`,
      );
    }
  };
  return StandIn as never;
}
