import type { OwnBytes } from '../../bytes/binary.js';
import { FormatError } from '../../errors.js';
import type { DenseRule, FloatLayout, RowPart, TileState } from './interface.js';

/** Tiles, groups and classes, for both implementations and the encoding. */

export const GROUP = 64;
export const GROUP_BYTES = GROUP / 8;

/** In `TileState.dense`: the next plane is the first since all signs of the group are known. */
export const FIRST_DENSE = 1;
/** …or the second, if that is coded, too. Twice the first, so that kernels shift. */
export const SECOND_DENSE = 2;
/** …and the planes after these: they are stored as they are. */
export const DENSE = 4;

/** Whether a group that is not dense is from now on. */
export function becomesDense(
  { threshold, ratio }: DenseRule,
  count: number,
  scale: number,
  level: number,
): boolean {
  return count >= threshold || scale - 4 * level >= ratio;
}

/** In place of the plane that makes a group dense: none does. */
export const NEVER = 0xff;

/** Smallest number of significant weights of each class; the classes of the format. */
const CLASS_STARTS = [0, 1, 2, 4, 7, 11, 16, 24, 33, 45];

export const CLASSES = CLASS_STARTS.length;

/** The class of a group by its number of significant weights, 0 to 64. */
export const CLASS_OF: Uint8Array = Uint8Array.from({ length: GROUP + 1 }, (_, count) =>
  CLASS_STARTS.findLastIndex((start) => start <= count),
);

/** Exponents down to this many below the lowest plane are coded in unary, smaller ones are stored whole. */
export const COUNTED_EXPONENTS = 8;

/** Steps that a centroid divides a plane's interval into. */
export const CENTROID_STEPS = 256;

/** Bytes of a state. */
export function stateBytes(count: number): number {
  const groups = Math.ceil(count / GROUP);
  return (2 * GROUP_BYTES + 3) * groups;
}

/**
 * The state of a tile of `count` weights before its first plane, with the signs if they are known.
 * @param scales of the groups, or of all of them; default 0
 * @param bytes where it is kept, zeros: many arrays of their own take long to make, and to free
 */
export function newTileState(
  count: number,
  scales: Uint8Array | number = 0,
  signs?: Uint8Array,
  bytes: OwnBytes = new Uint8Array(stateBytes(count)),
): TileState {
  const { least, most } = typeof scales === 'number' ? { least: scales, most: scales } : rangeOf(scales);
  const state = new State(count, bytes, least, most);
  if (typeof scales === 'number') bytes.fill(scales, (2 * GROUP_BYTES + 2) * state.groups);
  else state.scales.set(scales);
  if (signs !== undefined) state.signs.set(signs);
  return state;
}

/** Makes views of its bytes when they are asked for: wasm kernels need none of them, and small tiles are many. */
class State implements TileState {
  readonly count: number;
  readonly groups: number;
  readonly bytes: OwnBytes;
  readonly leastScale: number;
  readonly mostScale: number;
  readonly #views: Uint8Array[] = [];

  constructor(count: number, bytes: OwnBytes, leastScale: number, mostScale: number) {
    this.count = count;
    this.groups = Math.ceil(count / GROUP);
    this.bytes = bytes;
    this.leastScale = leastScale;
    this.mostScale = mostScale;
  }

  get significant(): Uint8Array {
    return this.#view(0, GROUP_BYTES);
  }

  get signs(): Uint8Array {
    return this.#view(GROUP_BYTES, GROUP_BYTES);
  }

  get counts(): Uint8Array {
    return this.#view(2 * GROUP_BYTES, 1);
  }

  get dense(): Uint8Array {
    return this.#view(2 * GROUP_BYTES + 1, 1);
  }

  get scales(): Uint8Array {
    return this.#view(2 * GROUP_BYTES + 2, 1);
  }

  /** What comes after `before` bytes a group, of as many a group. */
  #view(before: number, bytes: number): Uint8Array {
    this.#views[before] ??= this.bytes.subarray(before * this.groups, (before + bytes) * this.groups);
    return this.#views[before]!;
  }
}

/** What a state has of each group, one after another, in bytes; the last are the scales. */
export const GROUP_FIELDS = [GROUP_BYTES, GROUP_BYTES, 1, 1, 1];

/** A copy of groups of a tile, as a tile of its own. */
export function groupsOf(state: TileState, from: number, to: number): TileState {
  const count = Math.min(state.count, GROUP * to) - GROUP * from;
  const bytes = new Uint8Array(stateBytes(count));
  let at = 0;
  let before = 0;
  for (const size of GROUP_FIELDS) {
    bytes.set(state.bytes.subarray(before + size * from, before + size * to), at);
    at += size * (to - from);
    before += size * state.groups;
  }
  return new State(count, bytes, state.leastScale, state.mostScale);
}

function rangeOf(scales: Uint8Array): { least: number; most: number } {
  let least = 255;
  let most = 0;
  for (let group = 0; group < scales.length; group++) {
    least = Math.min(least, scales[group]!);
    most = Math.max(most, scales[group]!);
  }
  return { least, most };
}

/** Where the sign of a pattern is. */
export function signBitOf({ bytes }: FloatLayout): number {
  return 8 * bytes - 1;
}

/**
 * The exponent field from which on planes hold whole mantissas. Where the lowest plane has the field 1, the planes of a
 * tapered layout hold them all.
 * @param lowest exponent field of the lowest plane
 */
export function completeFrom({ mantissaBits, tapered = false }: FloatLayout, lowest: number): number {
  return tapered && lowest === 1 ? lowest : lowest + mantissaBits;
}

/** The bits of a mantissa of this exponent field, which may end in zeros that are not stored. */
export function mantissaBitsOf({ mantissaBits, tapered = false }: FloatLayout, exponent: number): number {
  return tapered ? Math.min(mantissaBits, Math.max(exponent - 1, 0)) : mantissaBits;
}

/** The class of every group after all planes, dense or not. */
export function finalClasses({ counts }: TileState): Uint8Array {
  return counts.map((count) => CLASS_OF[count]!);
}

/**
 * Checks that the selection has codes for the classes of all groups.
 * @param dense groups that are not coded; without it, all are
 * @throws FormatError
 */
export function checkSelection(selection: Uint8Array, counts: Uint8Array, dense?: Uint8Array): void {
  let most = -1;
  for (let group = 0; group < counts.length; group++) {
    if (counts[group]! > most && (dense === undefined || dense[group] === 0)) most = counts[group]!;
  }
  checkMostCount(selection, most);
}

/**
 * @param most significant weights of a group that is not dense; below 0: there is none
 * @throws FormatError when the selection has no codes for its class
 */
export function checkMostCount(selection: Uint8Array, most: number): void {
  if (most < 0 || CLASS_OF[most]! + 1 < selection.length) return;
  throw new FormatError('Cannot decode the embedded bitmap: no codes for the class of a group', {
    expected: `below ${Math.max(0, selection.length - 1)}`,
    actual: CLASS_OF[most],
  });
}

/**
 * Bits behind the last weight mean nothing, and decoders would differ in what they make of them.
 * @throws FormatError unless they are 0
 */
export function checkPadding(plane: Uint8Array, count: number): void {
  const rest = count % 8;
  let byte = Math.floor(count / 8);
  let bits = rest > 0 ? plane[byte++]! >> rest : 0;
  for (; byte < plane.length; byte++) bits |= plane[byte]!;
  if (bits === 0) return;
  throw new FormatError('Cannot decode the embedded unit: its plane has bits behind the last weight', {
    expected: `${count} weights`,
  });
}

export function checkLength(unit: Uint8Array, used: number): void {
  if (used === unit.length) return;
  throw new FormatError('Cannot decode the embedded unit: wrong number of bytes', {
    expected: used,
    actual: unit.length,
  });
}

type Elements = Uint16Array | Uint32Array | Float32Array;

/**
 * Lets `decode` write a tile's weights in its own order, and brings them into that of the tensor. Not for numbers that may
 * be NaNs, whose bits can change on the way.
 * @param parts undefined: both orders are the same
 */
export function inOrder<T extends Elements>(
  parts: readonly RowPart[] | undefined,
  out: T,
  decode: (sorted: T) => void,
): void {
  if (parts === undefined) {
    decode(out);
    return;
  }
  const sorted = out.slice() as T;
  decode(sorted);
  let place = 0;
  for (const { first, columns } of parts) {
    for (let i = 0; i < columns.length; i++) out[first + columns[i]!] = sorted[place + i]!;
    place += columns.length;
  }
}
