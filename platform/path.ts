import { ArgumentError } from '../src/errors.js';
import { nodeModule } from './nodeModule.js';

/**
 * The path of a file or folder on disk (Node, Deno, Bun).
 * @throws ArgumentError for anything but a path or a `file:` URL of this machine
 */
export function pathOf(place: string | URL): string {
  if (typeof place === 'string') return place;
  if (isUrlObject(place)) return pathOfUrl(place.href);
  throw new ArgumentError('Cannot use this path', { expected: 'a string or a file: URL', actual: place });
}

/** @throws ArgumentError for a URL of a file on another machine, and one that is no `file:` URL */
export function pathOfUrl(url: string): string {
  try {
    return nodeModule('node:url')!.fileURLToPath(url);
  } catch (cause) {
    throw new ArgumentError('Cannot open the file of this URL', { actual: url, cause });
  }
}

/** Also of another realm, such as a test environment's. */
export function isUrlObject(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === '[object URL]';
}
