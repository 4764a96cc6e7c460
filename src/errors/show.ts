/**
 * How messages show values. A value from a file or server can be anything: it is escaped, so that it cannot move the
 * cursor of a terminal or forge a second line, and cut short. Showing a value never throws.
 */

/** Longer texts are cut in the middle, because the ends of paths and URLs tell most. */
const MAX_TEXT = 200;

/** Longer than any URL. A name in a file can be as long as its header. */
const MAX_SEARCHED = 16384;

/** Enough for the dimensions of a shape and the choices of an option. */
const MAX_ITEMS = 16;

/** A name in quotation marks: `"fc1.weight"`. */
export function quote(name: unknown): string {
  return `"${escapeText(textOf(name))}"`;
}

/** Numbers and text unchanged, checksums (bigints) in hexadecimal, arrays in brackets; other objects as their kind. */
export function show(value: unknown): string {
  if (!Array.isArray(value)) return escapeText(textOf(value));
  const items = value.slice(0, MAX_ITEMS).map((item) => (Array.isArray(item) ? 'an array' : show(item)));
  if (value.length > MAX_ITEMS) items.push(`… (${value.length} in all)`);
  return `[${items.join(', ')}]`;
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
      return hexadecimal(value);
    case 'object':
      // Not String(value): an object from JSON can have a `toString` that is not a function.
      return value === null ? 'null' : kindOf(value);
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}

/** With its leading zeros: a checksum has 64 bits, or 256 (SHA-256). */
function hexadecimal(checksum: bigint): string {
  const digits = checksum.toString(16);
  return `0x${digits.padStart(digits.length > 16 ? 64 : 16, '0')}`;
}

/** `a Promise`, `a Float32Array of length 3`, and so on: what callers pass by mistake. */
function kindOf(value: object): string {
  try {
    const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
    if (/^(Array|Object)$/.test(tag)) return `an ${tag.toLowerCase()}`;
    const { length } = value as { readonly length?: unknown };
    const size = typeof length === 'number' ? ` of length ${length}` : '';
    return `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag}${size}`;
  } catch {
    // The tag may be a getter that throws.
    return 'an object';
  }
}

/** {@link escapeControls}, without secrets of URLs, cut to {@link MAX_TEXT}. */
export function escapeText(text: string): string {
  return escapeControls(cut(withoutSecrets(cut(text, MAX_SEARCHED)), MAX_TEXT));
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length / 2)}…${text.slice(-length / 2)}` : text;
}

/**
 * A URL in a text: its scheme; a user name and password, also where they are not escaped; its host and path; a query or
 * fragment. A number after the host is a port, and an `@` in a path is none of a user.
 */
const URLS =
  /\b([a-z][a-z\d+.-]{0,19}:\/\/)([^\s/?#:@]*@|[^\s/?#:@]*:(?!\d+(?:[\s/?#]|$))[^\s@]*@)?([^\s?#]*)([?#]\S*)?/gi;

/** A text whose URLs have neither a query nor a user name: there may be tokens, keys and signatures in them, and errors are logged. */
export function withoutSecrets(text: string): string {
  return text.replace(
    URLS,
    (_, scheme: string, user: string | undefined, place: string, rest: string | undefined) =>
      `${scheme}${user === undefined ? '' : '…@'}${place}${rest === undefined ? '' : `${rest[0]}…`}`,
  );
}

/** Escapes control characters, line ends and what changes the direction of text. Escaped text stays as it is. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, escapeOf);
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
