import type { WasmRuntime } from '../../runtime/runtime.js';
import type { TileState } from '../interface.js';
import { type PrefixCode, selectCodes } from '../prefixCodes.js';
import { CLASS_OF, checkLength } from '../tile.js';

/** The layout of tiles and codes for the embedded kernels. */

export function loadState(runtime: WasmRuntime, { bytes, significant, signs, counts }: TileState) {
  const address = loadInto(runtime, bytes);
  const signsAt = address + significant.length;
  const countsAt = signsAt + signs.length;
  return {
    bytes: address,
    significant: address,
    signs: signsAt,
    counts: countsAt,
    dense: countsAt + counts.length,
  };
}

export function loadInto(runtime: WasmRuntime, bytes: ArrayBufferView): number {
  const address = runtime.allocate(bytes.byteLength);
  runtime.load(bytes, address);
  return address;
}

/** Kernels load up to sixteen bytes at a time. */
const OVERREAD_BYTES = 16;

/**
 * @param largest bytes of the largest valid unit: a longer one is refused, and kernels may read past the end of a
 *   shorter one
 */
export function loadUnit(runtime: WasmRuntime, unit: Uint8Array, largest: number): number {
  if (unit.length > largest + OVERREAD_BYTES) checkLength(unit, largest);
  const stream = runtime.allocate(largest + 2 * OVERREAD_BYTES);
  runtime.load(unit, stream);
  return stream;
}

/** Bitmaps one after another. */
export function loadPlanes(runtime: WasmRuntime, planes: readonly Uint8Array[], stride: number): number {
  const address = runtime.allocate(planes.length * stride);
  for (const [k, plane] of planes.entries()) runtime.load(plane.subarray(0, stride), address + k * stride);
  return address;
}

/**
 * For the kernels that encode: a table of each code; the code of batches, then of each class those of masks and bytes.
 */
export function loadCodes(runtime: WasmRuntime, selection: Uint8Array): number {
  if (selection.length === 0) return 0;
  const { batch, classes } = loadTables(runtime, selection, ({ entries }) => entries);
  return loadInto(runtime, Uint32Array.from([batch, ...classes.flat()]));
}

/** The class has no code. */
const NO_CODE = 1;
const NO_LOOKUPS = new Uint32Array(1 + 2 * CLASS_OF.length).fill(NO_CODE);

/**
 * For the kernels that decode: the code of batches, then of each number of significant weights those of masks and
 * bytes.
 */
export function loadLookups(runtime: WasmRuntime, selection: Uint8Array): number {
  if (selection.length === 0) return loadInto(runtime, NO_LOOKUPS);
  const { batch, classes } = loadTables(runtime, selection, ({ lookup }) => lookup);
  const list = [...CLASS_OF].flatMap((kind) => classes[kind] ?? [NO_CODE, NO_CODE]);
  return loadInto(runtime, Uint32Array.from([batch, ...list]));
}

/** Addresses of the tables of the selected codes; 0 where a class is raw. */
function loadTables(
  runtime: WasmRuntime,
  selection: Uint8Array,
  table: (code: PrefixCode) => ArrayBufferView,
): { batch: number; classes: [number, number][] } {
  const { group, classes } = selectCodes(selection);
  const loaded = new Map<PrefixCode, number>();
  const addressOf = (code: PrefixCode): number => {
    const address = loaded.get(code) ?? loadInto(runtime, table(code));
    loaded.set(code, address);
    return address;
  };
  return {
    batch: addressOf(group),
    classes: classes.map((codes) =>
      codes === undefined ? [0, 0] : [addressOf(codes.mask), addressOf(codes.byte)],
    ),
  };
}

/** For each mask of eight bytes, the source of each byte: those of the set bits are one after another. */
export const SPREADS: Uint8Array = Uint8Array.from({ length: 8 << 8 }, (_, index) => {
  const mask = index >> 3;
  const place = index & 7;
  if (((mask >> place) & 1) === 0) return 0xff;
  let before = 0;
  for (let i = 0; i < place; i++) before += (mask >> i) & 1;
  return before;
});
