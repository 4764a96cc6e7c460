import { UnsupportedError } from '../src/errors.js';

/**
 * The engine's stream classes, for ours to extend. An engine without them can import holostream all the same: only
 * making a stream throws there.
 */
export const BaseTransformStream: typeof TransformStream =
  globalThis.TransformStream ?? standIn('TransformStream');
export const BaseWritableStream: typeof WritableStream =
  globalThis.WritableStream ?? standIn('WritableStream');

function standIn(name: string): never {
  const StandIn = class {
    constructor() {
      throw new UnsupportedError(
        `Cannot make a stream: this engine has no ${name}; import a polyfill before holostream`,
      );
    }
  };
  return StandIn as never;
}
