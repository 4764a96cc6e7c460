import { asBytes, type BytesLike } from '../bytes/binary.js';
import { ByteQueue } from '../bytes/byteQueue.js';
import { assertKind } from '../bytes/fileKind.js';
import { PROBE_SIZE } from '../bytes/fileStart.js';
import { Demand, type Grammar, take } from '../bytes/grammar.js';
import { type AllLimits, checkLimit, type LimitsOption, limitsOf } from '../checks/limits.js';
import { check, text } from '../checks/options.js';
import { FormatError, TruncatedError, UnsupportedError } from '../errors.js';
import { type SafetensorsDType, safetensorsByteLength } from '../safetensors/header.js';
import { SHAPE } from '../tensor/dtype.js';

/**
 * NumPy's file format for one array, versions 1.0, 2.0 and 3.0:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * NumPy has no bfloat16 and no 4-bit integers. BF16 is written as float32, which holds every bfloat16 exactly, and I4
 * as int8: NumPy would load a file of raw 16-bit words as other numbers.
 */
const DESCRIPTORS: ReadonlyMap<SafetensorsDType, string> = /* @__PURE__ */ new Map<SafetensorsDType, string>([
  ['BOOL', '|b1'],
  ['U8', '|u1'],
  ['I8', '|i1'],
  ['U16', '<u2'],
  ['I16', '<i2'],
  ['F16', '<f2'],
  ['U32', '<u4'],
  ['I32', '<i4'],
  ['F32', '<f4'],
  ['U64', '<u8'],
  ['I64', '<i8'],
  ['F64', '<f8'],
  ['C64', '<c8'],
]);

/** Types of NumPy in place of dtypes that it lacks. */
const STAND_INS: ReadonlyMap<string, SafetensorsDType> = /* @__PURE__ */ new Map<string, SafetensorsDType>([
  ['BF16', 'F32'],
  ['I4', 'I8'],
]);

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Magic and version. */
const PREFIX_SIZE = 8;

/** The data begin at a multiple of this, for memory mapping. */
const ALIGNMENT = 64;

/** Longer headers are those of records: an array of numbers takes some hundred bytes. */
const MAX_HEADER = 2 ** 16;

/** How NumPy names the dtype, or what stands for it. */
function descriptorOf(dtype: string): string | undefined {
  return DESCRIPTORS.get(STAND_INS.get(dtype) ?? (dtype as SafetensorsDType));
}

/** Bytes of an element in a .npy file. */
export function npyElementSize(dtype: string): number {
  return Number(descriptorOf(dtype)!.slice(2));
}

/**
 * The header of a .npy file in C order.
 * @throws UnsupportedError for a dtype without a counterpart in NumPy (floats of 8 bits and fewer)
 */
export function npyHeader(dtype: string, shape: readonly number[]): Uint8Array {
  check('dtype', dtype, text);
  check('shape', shape, SHAPE);
  const descriptor = descriptorOf(dtype);
  if (descriptor === undefined) {
    throw new UnsupportedError('Cannot write the .npy file: NumPy has no such dtype', {
      expected: [...DESCRIPTORS.keys(), ...STAND_INS.keys()].join(', '),
      actual: dtype,
    });
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const header = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Magic, version, length in 2 bytes (version 1.0) or 4 (2.0), text, spaces, line feed.
  const major = header.length + ALIGNMENT < 65536 ? 1 : 2;
  const prefix = major === 1 ? 10 : 12;
  const size = Math.ceil((prefix + header.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(size).fill(0x20);
  bytes.set([...MAGIC, major, 0]);
  const view = new DataView(bytes.buffer);
  if (major === 1) view.setUint16(8, size - prefix, true);
  else view.setUint32(8, size - prefix, true);
  bytes.set(new TextEncoder().encode(header), prefix);
  bytes[size - 1] = 0x0a;
  return bytes;
}

/** What a .npy file says of its array. */
export interface NpyHeader {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly byteLength: number;
  /** Bytes before the first of them. */
  readonly dataStart: number;
  /** Elements follow each other along the first dimension, not along the last. */
  readonly fortranOrder: boolean;
  /** Elements begin with their highest byte. */
  readonly bigEndian: boolean;
}

/**
 * The header of a .npy file; more bytes may follow it.
 * @throws TruncatedError, FormatError; UnsupportedError for another version, and for elements that are not numbers (text,
 *   objects, dates, records); LimitError
 */
export function parseNpyHeader(bytes: BytesLike, options: LimitsOption = {}): NpyHeader {
  const queue = new ByteQueue();
  queue.push(asBytes(bytes));
  const grammar = parseNpyStart(queue, limitsOf(options));
  for (;;) {
    const { done, value } = grammar.next();
    if (done) return value;
    if (queue.length >= value.least) continue;
    assertKind(asBytes(bytes), 'NumPy');
    throw new TruncatedError('Cannot read the NumPy header: too few bytes', {
      expected: queue.position + value.least,
      actual: queue.position + queue.length,
    });
  }
}

/** The grammar of all that precedes the elements. */
export function* parseNpyStart(queue: ByteQueue, limits: AllLimits): Grammar<NpyHeader> {
  // As much as tells what else the file is.
  yield new Demand('header', PROBE_SIZE, { least: PREFIX_SIZE });
  const prefix = queue.peek(PROBE_SIZE);
  queue.skip(PREFIX_SIZE);
  if (MAGIC.some((byte, i) => prefix[i] !== byte)) {
    assertKind(prefix, 'NumPy');
    throw new FormatError('Cannot read the NumPy file: wrong magic', { offset: 0 });
  }
  const version = `${prefix[6]}.${prefix[7]}`;
  if (!['1.0', '2.0', '3.0'].includes(version)) {
    const expected = '1.0, 2.0 or 3.0';
    throw new UnsupportedError('Cannot read the NumPy file: unknown version', { expected, actual: version });
  }
  const lengthSize = prefix[6] === 1 ? 2 : 4;
  const length = (yield* take(queue, 'header', lengthSize)).reduceRight((sum, byte) => 256 * sum + byte, 0);
  checkLimit(limits, 'headerBytes', length, 'Cannot read the NumPy header: it is too long');
  if (length > MAX_HEADER) {
    throw new UnsupportedError('Cannot read the NumPy header: it is too long for an array of numbers', {
      expected: `at most ${MAX_HEADER} bytes`,
      actual: length,
    });
  }
  const encoding = prefix[6] === 3 ? 'utf-8' : 'latin1';
  const dictionary = new TextDecoder(encoding).decode(yield* take(queue, 'header', length));
  return { ...parseDictionary(dictionary, limits), dataStart: PREFIX_SIZE + lengthSize + length };
}

/** A member of the dictionary, as Python writes it: text, True or False, a tuple; of records, a list. */
const MEMBER =
  /^\s*(['"])(descr|fortran_order|shape)\1\s*:\s*('[^']*'|"[^"]*"|True|False|\([^()]*\)|\[.*\])\s*(?:,|$)/s;

function parseDictionary(text: string, limits: AllLimits): Omit<NpyHeader, 'dataStart'> {
  const members = new Map<string, string>();
  let rest = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  while (rest !== undefined && rest.trim() !== '') {
    const [member, , name, value] = MEMBER.exec(rest) ?? [];
    if (member === undefined || members.has(name!)) throw malformed(text);
    members.set(name!, value!);
    rest = rest.slice(member.length);
  }
  const order = /^(True|False)$/.exec(members.get('fortran_order') ?? '')?.[1];
  const tuple = /^\((.*)\)$/s.exec(members.get('shape') ?? '')?.[1];
  const descriptor = members.get('descr') ?? '';
  if (order === undefined || tuple === undefined || !/^['"[]/.test(descriptor)) throw malformed(text);
  const { dtype, bigEndian } = parseDescriptor(descriptor);
  const shape = parseTuple(tuple, text);
  checkLimit(limits, 'rank', shape.length, 'Cannot read the NumPy header: too many dimensions');
  const byteLength = safetensorsByteLength(dtype, shape);
  if (byteLength === undefined) {
    const details = { expected: 'a size below 2^53 bits', actual: shape };
    throw new FormatError('Cannot read the NumPy header: the shape is too large', details);
  }
  return { dtype, shape, byteLength, fortranOrder: order === 'True', bigEndian };
}

function malformed(text: string): FormatError {
  return new FormatError('Cannot read the NumPy header: it is malformed', { actual: text.trim() });
}

/** @param text in quotation marks */
function parseDescriptor(text: string): Pick<NpyHeader, 'dtype' | 'bigEndian'> {
  const [, order, type] = /^['"]([<>|=]?)([a-z]\d+)['"]$/.exec(text) ?? [];
  for (const [dtype, descriptor] of DESCRIPTORS) {
    if (descriptor.slice(1) === type) return { dtype, bigEndian: order === '>' };
  }
  throw new UnsupportedError('Cannot read the NumPy file: its elements are not numbers of a known dtype', {
    expected: [...DESCRIPTORS.values()].join(', '),
    actual: text,
  });
}

/** The numbers of a tuple; Python 2 wrote some of them with an L. A single number without a comma is no tuple. */
function parseTuple(tuple: string, header: string): number[] {
  const parts = tuple.split(',');
  if (parts.length === 1 && tuple.trim() !== '') throw malformed(header);
  if (parts.at(-1)!.trim() === '') parts.pop();
  return parts.map((part) => {
    const dimension = /^\s*(0|[1-9]\d*)L?\s*$/.exec(part)?.[1];
    if (dimension === undefined || !Number.isSafeInteger(Number(dimension))) throw malformed(header);
    return Number(dimension);
  });
}
