/**
 * Stream classes for engines that have none: React Native's Hermes, jsdom, old WebViews. To be imported before
 * holostream; it needs the package `web-streams-polyfill`. Elsewhere it changes nothing.
 *
 * @example
 * import 'holostream/polyfill';
 * import { openModel } from 'holostream';
 *
 * @module
 */

import * as ponyfill from 'web-streams-polyfill';

const { ReadableStream, TransformStream, WritableStream } = globalThis;

// All or none: streams of one implementation cannot be piped into those of another.
if (!ReadableStream || !TransformStream || !WritableStream) {
  for (const [name, value] of Object.entries(ponyfill)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
