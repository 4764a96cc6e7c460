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
 * The same chunks in a stream of the engine's class. A stream of another implementation (a ponyfill's, or the engine's
 * where a polyfill has replaced it) cannot be piped into ours. Nothing is read ahead.
 */
export function ownStream<T>(stream: ReadableStream<T>): ReadableStream<T> {
  const reader = stream.getReader();
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
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
