import type { TileState } from '../embedded.js';
import { selectCodes } from '../portable/embedded/bitmapCode.js';
import type { PrefixCode } from '../portable/embedded/codeTables.js';
import type { WasmRuntime } from './runtime.js';

/** How tiles and codes are laid out for the embedded kernels. */

export interface StateAddresses {
  readonly significant: number;
  readonly signs: number;
  readonly counts: number;
  readonly dense: number;
}

export function loadState(
  runtime: WasmRuntime,
  { significant, signs, counts, dense }: TileState,
): StateAddresses {
  return {
    significant: loadInto(runtime, significant),
    signs: loadInto(runtime, signs),
    counts: loadInto(runtime, counts),
    dense: loadInto(runtime, dense),
  };
}

export function storeState(runtime: WasmRuntime, at: StateAddresses, state: TileState): void {
  runtime.store(at.significant, state.significant);
  runtime.store(at.signs, state.signs);
  runtime.store(at.counts, state.counts);
  runtime.store(at.dense, state.dense);
}

export function loadInto(runtime: WasmRuntime, bytes: Uint8Array): number {
  const address = runtime.allocate(bytes.length);
  runtime.load(bytes, address);
  return address;
}

/** Bitmaps one behind the other. */
export function loadPlanes(runtime: WasmRuntime, planes: readonly Uint8Array[], stride: number): number {
  const address = runtime.allocate(planes.length * stride);
  for (const [k, plane] of planes.entries()) runtime.load(plane.subarray(0, stride), address + k * stride);
  return address;
}

/** What the kernels take for the codes of a bitmap, each as the table that they want of it; 0 without a selection. */
export function loadCodes(
  runtime: WasmRuntime,
  selection: Uint8Array,
  table: (code: PrefixCode) => ArrayBufferView,
): number {
  if (selection.length === 0) return 0;
  const { group, classes } = selectCodes(selection);
  const loaded = new Map<PrefixCode, number>();
  const addressOf = (code: PrefixCode): number => {
    const address = loaded.get(code) ?? runtime.allocate(table(code).byteLength);
    if (!loaded.has(code)) runtime.load(table(code), address);
    loaded.set(code, address);
    return address;
  };
  const addresses = [addressOf(group)];
  for (const codes of classes) {
    addresses.push(...(codes === undefined ? [0, 0] : [addressOf(codes.mask), addressOf(codes.byte)]));
  }
  const list = runtime.allocate(4 * addresses.length);
  runtime.load(Uint32Array.from(addresses), list);
  return list;
}
