import { FormatError, LimitError } from '../errors.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const DIGIT_0 = 0x30;
const COLON = 0x3a;
const BRACKET_OPEN = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_CLOSE = 0x5d;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/** Levels of objects and arrays, as many as the official reader takes. */
const MAX_DEPTH = 127;

const NULL = [0x6e, 0x75, 0x6c, 0x6c];

/** What ends a number, `true`, `false` or `null`. */
const DELIMITERS: readonly (number | undefined)[] = [
  ...[COMMA, COLON, BRACKET_CLOSE, BRACE_CLOSE],
  ...[0x20, 0x0a, 0x0d, 0x09, undefined],
];

/**
 * Reads the part of JSON that safetensors headers use: objects, arrays, strings, natural numbers; and skips any other.
 * `JSON.parse` does not suffice: it silently keeps the last of two equal keys, reorders keys that look like numbers, and
 * gives no positions.
 */
export class HeaderScanner {
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at: number;
  #depth = 0;

  /** @param start where the JSON begins; errors then name bytes of the file */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** Offset at which the next token is searched. */
  get position(): number {
    return this.#at;
  }

  /** Calls `member` with each key. `member` must read the value. */
  object(member: (key: string) => void): void {
    const keys = new Set<string>();
    this.#sequence(BRACE_OPEN, BRACE_CLOSE, () => {
      this.#skipSpace();
      const offset = this.#at;
      const key = this.string();
      if (keys.has(key))
        throw new FormatError('Cannot read the safetensors header: duplicate key', { offset, actual: key });
      keys.add(key);
      this.#expect(COLON);
      member(key);
    });
  }

  naturals(): number[] {
    const values: number[] = [];
    this.#sequence(BRACKET_OPEN, BRACKET_CLOSE, () => values.push(this.#natural()));
    return values;
  }

  string(): string {
    this.#expect(QUOTE);
    const start = this.#at - 1;
    for (let byte = this.#bytes[this.#at]; byte !== QUOTE; byte = this.#bytes[this.#at]) {
      if (byte === undefined) this.#fail('a closing quote');
      this.#at += byte === BACKSLASH ? 2 : 1;
    }
    this.#at += 1;
    let text: unknown;
    try {
      text = JSON.parse(this.#decoder.decode(this.#bytes.subarray(start, this.#at)));
    } catch (cause) {
      throw new FormatError('Cannot read the safetensors header: malformed string', { offset: start, cause });
    }
    // A lone surrogate (as an escape) has no UTF-8, so it could not be written again.
    if (/\p{Surrogate}/u.test(text as string)) {
      throw new FormatError('Cannot read the safetensors header: a string is not Unicode', { offset: start });
    }
    return text as string;
  }

  /** Steps over `null` if it is the next value. */
  skipNull(): boolean {
    this.#skipSpace();
    if (!NULL.every((byte, i) => this.#bytes[this.#at + i] === byte)) return false;
    this.#at += NULL.length;
    return true;
  }

  /** Steps over any value; keys in it may be equal. */
  skip(): void {
    this.#skipSpace();
    const byte = this.#bytes[this.#at];
    if (byte === QUOTE) this.string();
    else if (byte === BRACKET_OPEN) this.#sequence(BRACKET_OPEN, BRACKET_CLOSE, () => this.skip());
    else if (byte === BRACE_OPEN) {
      this.#sequence(BRACE_OPEN, BRACE_CLOSE, () => {
        this.string();
        this.#expect(COLON);
        this.skip();
      });
    } else this.#skipLiteral();
  }

  /** Only white space of JSON, as padding, may follow the object. */
  end(): void {
    this.#skipSpace();
    if (this.#at === this.#bytes.length) return;
    if (this.#bytes[this.#at] === 0) {
      throw new FormatError(
        'Cannot read the safetensors header: it is padded by NUL bytes, where only spaces, tabs and line breaks may be',
        { offset: this.#at },
      );
    }
    this.#fail('white space up to the end');
  }

  #skipLiteral(): void {
    let end = this.#at;
    while (!DELIMITERS.includes(this.#bytes[end])) end += 1;
    let value: unknown;
    try {
      value = JSON.parse(this.#decoder.decode(this.#bytes.subarray(this.#at, end)));
    } catch {
      this.#fail('a value');
    }
    // The official reader takes no number that is too large for a double.
    if (Math.abs(Number(value)) === Infinity) this.#fail('a smaller number');
    this.#at = end;
  }

  #natural(): number {
    this.#skipSpace();
    const offset = this.#at;
    let value = 0;
    for (let digit = this.#digit(); digit !== undefined; digit = this.#digit()) {
      value = value * 10 + digit;
      this.#at += 1;
    }
    const leadingZero = this.#bytes[offset] === DIGIT_0 && this.#at - offset > 1;
    if (this.#at === offset || leadingZero || !Number.isSafeInteger(value)) {
      this.#at = offset;
      this.#fail('a whole number from 0 to 2^53 - 1');
    }
    return value;
  }

  #digit(): number | undefined {
    const digit = (this.#bytes[this.#at] ?? 0) - DIGIT_0;
    return digit >= 0 && digit <= 9 ? digit : undefined;
  }

  #sequence(open: number, close: number, item: () => void): void {
    this.#expect(open);
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new LimitError('Cannot read the safetensors header: it is nested too deeply', {
        offset: this.#at,
        expected: `at most ${MAX_DEPTH} levels`,
      });
    }
    if (!this.#accept(close)) {
      do item();
      while (this.#accept(COMMA));
      this.#expect(close);
    }
    this.#depth -= 1;
  }

  #accept(byte: number): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#accept(byte)) this.#fail(`"${String.fromCharCode(byte)}"`);
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at += 1;
    }
  }

  #fail(expected: string): never {
    const byte = this.#bytes[this.#at];
    throw new FormatError('Cannot read the safetensors header: malformed JSON', {
      offset: this.#at,
      expected,
      actual: byte === undefined ? 'the end' : JSON.stringify(String.fromCharCode(byte)),
    });
  }
}
