import { FormatError, LimitError } from '../errors.js';

/** Our formats need 4 levels; shard indexes of other programs may have more in their metadata. */
const MAX_DEPTH = 64;

/**
 * Most objects and arrays: twice what a manifest of the largest size needs. In memory, one takes 20 times its two bytes
 * of text.
 */
const MAX_CONTAINERS = 2 ** 20;

/** Half of a character. JSON allows it as an escape, UTF-8 and the headers that such names are written to do not. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const ESCAPED_SURROGATE = /\\ud[89a-f]/i;

const QUOTE = 0x22;
const BRACKET_OPEN = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_CLOSE = 0x5d;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/**
 * The value of a JSON text that others wrote. Its length, nesting and number of parts are checked before it is parsed:
 * what is nested deeper overflows the stack of engines, or of what walks over the value later.
 * @param what begins the sentence of an error: "Cannot read the manifest"
 * @param maxLength in bytes, or in characters where the text is already one
 * @param name of the file, for errors
 * @throws FormatError, LimitError
 */
export function parseJson(
  json: Uint8Array | string,
  what: string,
  maxLength: number,
  name?: string,
): unknown {
  if (json.length > maxLength) {
    const expected = `at most ${maxLength} bytes`;
    throw new LimitError(`${what}: it is too long`, { name, expected, actual: json.length });
  }
  const text = (typeof json === 'string' ? json : decodeText(json, what, name)).replace(/^\ufeff/, '');
  const { depth, containers } = measureJson(text);
  if (depth > MAX_DEPTH) {
    const expected = `at most ${MAX_DEPTH} levels`;
    throw new LimitError(`${what}: it is nested too deeply`, { name, expected, actual: depth });
  }
  if (containers > MAX_CONTAINERS) {
    const expected = `at most ${MAX_CONTAINERS} objects and arrays`;
    throw new LimitError(`${what}: it has too many parts`, { name, expected, actual: containers });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${what}: it is not JSON`, { name, cause });
  }
  if (ESCAPED_SURROGATE.test(text)) {
    JSON.parse(text, (key, part) => {
      if (LONE_SURROGATE.test(key) || (typeof part === 'string' && LONE_SURROGATE.test(part)))
        throw new FormatError(`${what}: a string is not Unicode`, { name });
      return part;
    });
  }
  return value;
}

/**
 * Text from bytes that others wrote, with the byte order mark that it may begin with.
 * @param what begins the sentence of an error
 * @throws FormatError
 */
export function decodeText(bytes: Uint8Array, what: string, name?: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${what}: it is not UTF-8`, { name, cause });
  }
}

/** How deep brackets are nested, and how many there are. Those in strings do not count. */
function measureJson(text: string): { readonly depth: number; readonly containers: number } {
  let [depth, open, containers] = [0, 0, 0];
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === BRACKET_OPEN || code === BRACE_OPEN) {
      open += 1;
      containers += 1;
      if (open > depth) depth = open;
    } else if (code === BRACKET_CLOSE || code === BRACE_CLOSE) open -= 1;
  }
  return { depth, containers };
}
