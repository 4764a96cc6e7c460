import { likeAligned } from '../../../bytes/sharedMemory.js';
import type { WasmRuntime } from '../../runtime/runtime.js';
import { contextRule } from '../contexts.js';
import type { PlaneCoding, TileState } from '../interface.js';
import { checkLength, GROUP_BYTES } from '../tile.js';

/** The layout of tiles, and of what finds contexts, for the embedded kernels. */

export function loadState(runtime: WasmRuntime, state: TileState) {
  const address = loadInto(runtime, state.bytes);
  const signs = address + GROUP_BYTES * state.groups;
  return { signs, dense: signs + (GROUP_BYTES + 1) * state.groups };
}

export function loadInto(runtime: WasmRuntime, bytes: ArrayBufferView): number {
  const address = runtime.allocate(bytes.byteLength);
  runtime.load(bytes, address);
  return address;
}

/** What aligns units in memory as they are aligned where they come from: see `likeAligned`. */
const ALIGNMENT = 8;

/** Kernels load up to sixteen bytes at a time. */
const OVERREAD_BYTES = 16;

/**
 * @param largest bytes of the largest valid unit: a longer one is refused, and kernels may read past the end of a
 *   shorter one
 */
export function loadUnit(runtime: WasmRuntime, unit: Uint8Array, largest: number): number {
  checkLoadable(unit, largest);
  const stream = likeAligned(allocateUnits(runtime, 1, largest, 0), unit);
  runtime.load(unit, stream);
  return stream;
}

/**
 * Room for so many units, one after another, that `checkLoadable` lets pass.
 * @param bytes of the largest valid ones together
 * @param largest bytes of the largest of them, which a kernel may take any for
 */
export function allocateUnits(runtime: WasmRuntime, units: number, bytes: number, largest: number): number {
  return runtime.allocate(bytes + largest + (units + 1) * OVERREAD_BYTES + ALIGNMENT);
}

/** @throws FormatError when there is no room for the unit where `allocateUnits` made it */
export function checkLoadable(unit: Uint8Array, largest: number): void {
  if (unit.length > largest + OVERREAD_BYTES) checkLength(unit, largest);
}

/** Bitmaps, and from one to the next. */
export interface LoadedPlanes {
  readonly address: number;
  readonly stride: number;
}

/** A line of the cache: bitmaps of a power of two would all compete for the same few lines. */
export const APART = 64;

/** @param bytes of a bitmap */
export function loadPlanes(runtime: WasmRuntime, planes: readonly Uint8Array[], bytes: number): LoadedPlanes {
  const stride = bytes + APART;
  const address = runtime.allocate(planes.length * stride);
  for (let k = 0; k < planes.length; k++) runtime.load(planes[k]!, address + k * stride);
  return { address, stride };
}

/** By level; those of selections, which do not depend on it, at -1. */
const rules = new Map<number, Uint8Array>();

/** How `assembly/contexts.ts` finds contexts: what each count adds, of dense groups, too, twice, and what each scale. */
export function ruleBytes(coding: Pick<PlaneCoding, 'fixed' | 'level'>): Uint8Array {
  const key = coding.fixed ? coding.level : -1;
  let bytes = rules.get(key);
  if (bytes === undefined) {
    const { stride, offset, lastRatio, kinds } = contextRule(coding);
    bytes = new Uint8Array(RULE_SCALES + 256);
    bytes.set(kinds);
    for (let scale = 0; scale < 256; scale++) {
      bytes[RULE_SCALES + scale] = stride * Math.min(Math.max(scale - offset, 0), lastRatio);
    }
    rules.set(key, bytes);
  }
  return bytes;
}

const RULE_SCALES = 256;

/** What brings the state of a dense group from one plane to the next: it is 1 at first, and at the end `DENSE`. */
export function denseShift(codedDense: number): number {
  return codedDense > 1 ? 1 : 2;
}

/** For each mask of eight bytes, the source of each byte: those of the set bits are the upper ones of u16 one after another. */
export const SPREADS: Uint8Array = Uint8Array.from({ length: 8 << 8 }, (_, index) => {
  const mask = index >> 3;
  const place = index & 7;
  if (((mask >> place) & 1) === 0) return 0xff;
  let before = 0;
  for (let i = 0; i < place; i++) before += (mask >> i) & 1;
  return 2 * before + 1;
});

export function allocateZeros(runtime: WasmRuntime, byteLength: number): number {
  const address = runtime.allocate(byteLength);
  runtime.bytes(address, byteLength).fill(0);
  return address;
}
