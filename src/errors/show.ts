/**
 * How messages show values. A value from a file or server can be anything: it is escaped, so that it cannot move the
 * cursor of a terminal or forge a second line, and cut short. Showing a value never throws.
 */

/** Longer texts are cut in the middle, because the ends of paths and URLs tell most. */
const MAX_TEXT = 200;

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
      return `0x${value.toString(16).padStart(16, '0')}`;
    case 'object':
      // Not String(value): an object from JSON can have a `toString` that is not a function.
      return value === null ? 'null' : kindOf(value);
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
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

/** {@link escapeControls}, cut to {@link MAX_TEXT}. */
export function escapeText(text: string): string {
  const end = MAX_TEXT / 2;
  return escapeControls(text.length > MAX_TEXT ? `${text.slice(0, end)}…${text.slice(-end)}` : text);
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
