import type { Arena } from './arena.js';

/** What is fuzzed: everything that reads bytes that a stranger may have made. `targets/index.ts` has the table. */
export interface Target {
  readonly name: string;
  /** Good inputs; the first is small, and is read again after each input that is refused. */
  readonly seeds: readonly Seed[];
  /** How mutations take an input apart. */
  readonly anatomy: Anatomy;
  /** All of them must accept an input, with the same reading, or refuse it. */
  readonly ways: readonly Way[];
  /** Most bytes of memory that one way may request for an input. */
  memory(input: Uint8Array): number;
  /** Most seconds of processor time that an input may take in all ways. Default 2. */
  readonly seconds?: number | undefined;
}

export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * Checksums protect its content: with a few bits flipped it is refused, or the reading has the same `content`. False
   * for formats without checksums.
   */
  readonly sealed: boolean;
  /** They protect the `facts` of the reading as well. */
  readonly factsSealed?: boolean | undefined;
}

/** One way to read an input. */
export interface Way {
  readonly name: string;
  /** Only every n-th input is read this way, chosen by its bytes. Default 1. */
  readonly every?: number | undefined;
  /** @throws HolostreamError for a bad input, and nothing else */
  read(input: Uint8Array, arena: Arena): Reading | Promise<Reading>;
}

/** What an input says. Ways are compared in what both of them give. */
export interface Reading {
  /** Facts as text, such as dtype and shape. */
  readonly facts?: string | undefined;
  /** Bytes that must be the same in all ways. */
  readonly content?: Uint8Array | undefined;
  /** Numbers that may differ by rounding. */
  readonly numbers?: Float32Array | undefined;
}

export interface Anatomy {
  /** Takes any bytes apart; what it does not understand becomes a part, too. */
  split(input: Uint8Array): readonly Part[];
  /**
   * Puts parts together and makes their checksums right.
   * @param sizes make counts, sizes and offsets right, too; otherwise they stay as the parts have them
   */
  join(parts: readonly Part[], sizes: boolean): Uint8Array;
}

export interface Part {
  /** Parts of the same kind may take each other's place. */
  readonly kind: string;
  readonly bytes: Uint8Array;
  /** Places of numbers in it. */
  readonly fields?: readonly Field[] | undefined;
  /** It is JSON text. */
  readonly json?: boolean | undefined;
}

export interface Field {
  readonly offset: number;
  readonly size: 1 | 2 | 4 | 8;
}

/** An input as one part. */
export const WHOLE: Anatomy = {
  split: (input) => [{ kind: 'whole', bytes: input }],
  join: ([part]) => part?.bytes ?? new Uint8Array(0),
};

/** Consecutive little-endian numbers: `fieldsOf(0, 4, 4, 2)` is u32, u32, u16 from offset 0 on. */
export function fieldsOf(start: number, ...sizes: readonly Field['size'][]): Field[] {
  let offset = start;
  return sizes.map((size) => {
    const field = { offset, size };
    offset += size;
    return field;
  });
}

/** Takes parts off the front of an input, as far as it goes. */
export class Cutter {
  readonly parts: Part[] = [];
  #rest: Uint8Array;

  constructor(input: Uint8Array) {
    this.#rest = input;
  }

  get left(): number {
    return this.#rest.length;
  }

  /** The next bytes, without taking them. */
  peek(length: number): Uint8Array {
    return this.#rest.subarray(0, length);
  }

  take(kind: string, length: number, more: Omit<Part, 'kind' | 'bytes'> = {}): Uint8Array {
    const bytes = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(bytes.length);
    this.parts.push({ kind, bytes, ...more });
    return bytes;
  }

  /** What is left, if anything, becomes the last part. */
  end(): readonly Part[] {
    if (this.left > 0) this.take('rest', this.left);
    return this.parts;
  }
}
