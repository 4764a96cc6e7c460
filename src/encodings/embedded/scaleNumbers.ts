import type { FieldReader } from '../../bytes/fieldReader.js';
import { FormatError } from '../../errors.js';
import { buildCode } from '../../kernels/embedded/prefixCodes.js';

/**
 * Scales of rows or of columns as bytes: themselves or, where neighbours are alike, their differences, in a prefix code of
 * their own. `docs/formats/embedded.md` describes them.
 */

const SYMBOLS = 256;
/** Lengths of codes are stored in four bits. */
const MAX_CODE_BITS = 15;
const VALUES = 0;
const DIFFERENCES = 1;

/** The shorter of both ways. */
export function packScaleNumbers(numbers: Int8Array): number[] {
  const values = pack(VALUES, numbers);
  const differences = pack(
    DIFFERENCES,
    numbers.map((number, i) => number - (numbers[i - 1] ?? 0)),
  );
  return differences.length < values.length ? differences : values;
}

function pack(kind: number, numbers: Int8Array): number[] {
  const lowest = numbers.reduce((least, number) => Math.min(least, number), 127);
  const highest = numbers.reduce((most, number) => Math.max(most, number), lowest + 1);
  const counts = new Array<number>(highest - lowest + 1).fill(0);
  for (const number of numbers) counts[number - lowest]! += 1;
  const bytes = [kind, lowest & 0xff, (counts.length + 1) >> 1];
  const lengths = codeLengths(counts);
  for (let i = 0; i < lengths.length; i += 2) bytes.push(lengths[i]! | ((lengths[i + 1] ?? 0) << 4));
  const { entries } = buildCode(bySymbol(lengths));
  let [bits, used] = [0, 0];
  for (const number of numbers) {
    const entry = entries[number - lowest]!;
    bits |= (entry & 0xffffff) << used;
    for (used += entry >>> 24; used >= 8; used -= 8) {
      bytes.push(bits & 0xff);
      bits >>>= 8;
    }
  }
  if (used > 0) bytes.push(bits);
  return bytes;
}

/** Of an optimal code for two symbols or more; where it would be too long, rare symbols are taken for more frequent. */
function codeLengths(counts: readonly number[]): number[] {
  const lengths = counts.map(() => 0);
  const last = counts.length - 1;
  let nodes = counts.flatMap((count, symbol) =>
    count > 0 || symbol === 0 || symbol === last ? [{ count, symbols: [symbol] }] : [],
  );
  while (nodes.length > 1) {
    nodes.sort((a, b) => b.count - a.count);
    const [a, b] = [nodes.pop()!, nodes.pop()!];
    const symbols = [...a.symbols, ...b.symbols];
    for (const symbol of symbols) lengths[symbol]! += 1;
    nodes = [...nodes, { count: a.count + b.count, symbols }];
  }
  return Math.max(...lengths) <= MAX_CODE_BITS
    ? lengths
    : codeLengths(counts.map((count) => Math.ceil(count / 2)));
}

function bySymbol(lengths: readonly number[]): Uint8Array {
  const all = new Uint8Array(SYMBOLS);
  all.set(lengths);
  return all;
}

/**
 * Reads `count` numbers; the next field begins at the next byte.
 * @throws FormatError
 */
export function readScaleNumbers(fields: FieldReader, count: number): Int8Array {
  const [kind, lowest, halves] = fields.take(3) as unknown as [number, number, number];
  const lengths = new Uint8Array(SYMBOLS);
  fields.take(halves).forEach((both, i) => {
    lengths[2 * i] = both & 15;
    lengths[2 * i + 1] = both >> 4;
  });
  const { bytes, position: start } = fields;
  // A number takes at least a bit, which bounds the allocation.
  if (
    2 * halves > SYMBOLS ||
    lengths.reduce((sum, length) => sum + (length && 2 ** -length), 0) !== 1 ||
    count > 8 * (bytes.length - start)
  ) {
    throw new FormatError('Cannot read the embedded fragment: invalid codes of scales');
  }
  const { lookup } = buildCode(lengths);
  const numbers = new Int8Array(count);
  let position = 0;
  let before = lowest;
  for (let i = 0; i < count; i++) {
    const at = start + (position >>> 3);
    // Beyond the end, a byte is undefined, which the operators convert to 0.
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const entry = lookup[(word >>> (position & 7)) & (lookup.length - 1)]!;
    numbers[i] = before + (entry >> 8);
    if (kind === DIFFERENCES) before = lowest + numbers[i]!;
    position += entry & 15;
  }
  fields.take(Math.ceil(position / 8));
  return numbers;
}
