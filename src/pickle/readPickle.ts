/** Values of a Python pickle, protocols 2 to 5: https://github.com/python/cpython/blob/main/Lib/pickletools.py */

import { viewOf } from '../bytes/binary.js';
import { decodeText } from '../bytes/json.js';
import { FormatError, LimitError, UnsupportedError } from '../errors.js';

const WHAT = 'Cannot read the pickle';

/** A byte can make an object of a hundred: a million of them is more than any list of tensors has. */
const MAX_OBJECTS = 2 ** 22;

export type PickleValue =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | PickleObject;

/** A class or function of Python, which is never loaded. */
export class PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What the caller has made of a call or of a persistent id. */
export class PickleObject {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/** What a pickle may mean: nothing else is done. */
export interface PickleMeaning {
  /** Whether it may name this class or function, as `module.name`. */
  allows(name: string): boolean;
  /**
   * What a call of it gives.
   * @param count takes how many values it makes: a few bytes call it with the same list again and again
   */
  call(name: string, args: readonly PickleValue[], count: (values: number) => void): PickleValue;
  /** What a persistent id stands for. */
  persistent(id: PickleValue): PickleValue;
}

/**
 * The value of a pickle. Opcodes that make numbers, texts, lists, tuples (which are lists here), dictionaries and calls of allowed
 * functions are known.
 * @throws FormatError; UnsupportedError for other opcodes, and for a class or function that is not allowed, by its name
 */
export function readPickle(bytes: Uint8Array, meaning: PickleMeaning): PickleValue {
  return new PickleMachine(bytes, meaning).run();
}

const MARK = Symbol('mark');

class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #meaning: PickleMeaning;
  readonly #stack: (PickleValue | typeof MARK)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;
  #objects = 0;

  /** By their codes. */
  readonly #steps: Readonly<Record<string, () => void>> = {
    // PROTO, FRAME
    '\x80': () => this.#uint(1),
    '\x95': () => this.#take(8),
    '(': () => this.#stack.push(MARK),
    '0': () => this.#pop(),
    N: () => this.#push(undefined),
    '\x88': () => this.#push(true),
    '\x89': () => this.#push(false),
    K: () => this.#push(this.#uint(1)),
    M: () => this.#push(this.#uint(2)),
    J: () => this.#push(this.#uint(4) | 0),
    '\x8a': () => this.#push(this.#long(this.#uint(1))),
    G: () => this.#push(viewOf(this.#take(8)).getFloat64(0)),
    '\x8c': () => this.#push(this.#text(this.#uint(1))),
    X: () => this.#push(this.#text(this.#uint(4))),
    C: () => this.#push(this.#take(this.#uint(1))),
    U: () => this.#push(this.#take(this.#uint(1))),
    B: () => this.#push(this.#take(this.#uint(4))),
    T: () => this.#push(this.#take(this.#uint(4))),
    '}': () => this.#push(new Map()),
    ']': () => this.#push([]),
    ')': () => this.#push([]),
    t: () => this.#push(this.#popMarked()),
    '\x85': () => this.#push(this.#popMany(1)),
    '\x86': () => this.#push(this.#popMany(2)),
    '\x87': () => this.#push(this.#popMany(3)),
    q: () => this.#memo.set(this.#uint(1), this.#top()),
    r: () => this.#memo.set(this.#uint(4), this.#top()),
    '\x94': () => this.#memo.set(this.#memo.size, this.#top()),
    h: () => this.#push(this.#remembered(this.#uint(1))),
    j: () => this.#push(this.#remembered(this.#uint(4))),
    a: () => this.#append([this.#pop()]),
    e: () => this.#append(this.#popMarked()),
    s: () => this.#set(this.#popMany(2)),
    u: () => this.#set(this.#popMarked()),
    c: () => this.#global(`${this.#line()}.${this.#line()}`),
    '\x93': () => this.#globalOf(this.#popMany(2)),
    Q: () => this.#push(this.#meaning.persistent(this.#pop())),
    R: () => this.#call(this.#popMany(2)),
    '\x81': () => this.#call(this.#popMany(2)),
    // The state of an object, such as the hooks of a dictionary: of no use here.
    b: () => this.#pop(),
  };

  constructor(bytes: Uint8Array, meaning: PickleMeaning) {
    this.#bytes = bytes;
    this.#meaning = meaning;
  }

  run(): PickleValue {
    for (;;) {
      const opcode = String.fromCharCode(this.#uint(1));
      if (opcode === '.') return this.#pop();
      this.#count('(}])t\x85\x86\x87R\x81Qqr\x94'.includes(opcode) ? 1 : 0);
      this.#step(opcode);
    }
  }

  #count(objects: number): void {
    this.#objects += objects;
    if (this.#objects > MAX_OBJECTS || this.#stack.length > MAX_OBJECTS) {
      throw new LimitError(`${WHAT}: it has too many objects`, { expected: `at most ${MAX_OBJECTS}` });
    }
  }

  #step(opcode: string): void {
    const step = Object.hasOwn(this.#steps, opcode) ? this.#steps[opcode] : undefined;
    if (step === undefined) {
      throw new UnsupportedError(`${WHAT}: it has an opcode that is not known`, {
        offset: this.#at - 1,
        actual: opcode.charCodeAt(0),
      });
    }
    step();
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.length > 0 ? this.#stack.pop() : MARK;
    if (value === MARK) throw this.#broken();
    return value;
  }

  #top(): PickleValue {
    const value = this.#stack.length > 0 ? this.#stack.at(-1) : MARK;
    if (value === MARK) throw this.#broken();
    return value;
  }

  #popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popMarked(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw this.#broken();
    return this.#stack.splice(at).slice(1) as PickleValue[];
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#broken();
    for (const item of items) list.push(item);
  }

  #set(items: readonly PickleValue[]): void {
    const map = this.#top();
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.#broken();
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  #remembered(key: number): PickleValue {
    if (!this.#memo.has(key)) throw this.#broken();
    return this.#memo.get(key);
  }

  /** Lists are no names: those that share parts would be joined without end. */
  #globalOf([module, name]: readonly PickleValue[]): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#broken();
    this.#global(`${module}.${name}`);
  }

  #global(name: string): void {
    if (!this.#meaning.allows(name)) {
      throw new UnsupportedError(`${WHAT}: it names a class or function that is not loaded`, {
        actual: name,
      });
    }
    this.#push(new PickleGlobal(name));
  }

  #call([callee, args]: readonly PickleValue[]): void {
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) throw this.#broken();
    this.#push(this.#meaning.call(callee.name, args, (values) => this.#count(values)));
  }

  #long(length: number): number | bigint {
    const value = this.#take(length).reduce((sum, byte, i) => sum | (BigInt(byte) << BigInt(8 * i)), 0n);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#broken();
    const text = this.#text(end - this.#at);
    this.#at += 1;
    return text;
  }

  #text(length: number): string {
    return decodeText(this.#take(length), WHAT);
  }

  #uint(length: 1 | 2 | 4): number {
    return this.#take(length).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#broken();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  #broken(): FormatError {
    return new FormatError(`${WHAT}: it is damaged`, { offset: this.#at });
  }
}
