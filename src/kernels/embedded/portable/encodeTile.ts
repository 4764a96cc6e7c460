import { codesOf, contextsOf } from '../contexts.js';
import type { PlaneCoding, PlaneToCode, TileState, TileSurvey } from '../interface.js';
import { extractTable } from '../maskTables.js';
import { POPULATION } from '../prefixCodes.js';
import { DENSE, GROUP_BYTES, newTileState } from '../tile.js';
import { encodeBitmap } from './bitmapCode.js';
import { BitWriter } from './bits.js';
import { ageDense, forNewlyDense, forNewlySignificant, forSignificant, freshBits } from './tileState.js';

export function encodeTile(
  { planes, signs, scales }: Pick<TileSurvey, 'planes' | 'signs' | 'scales'>,
  count: number,
  codings: readonly PlaneToCode[],
  threshold: number,
): { units: Uint8Array[]; state: TileState } {
  const state = newTileState(count, scales, signs);
  const units: Uint8Array[] = [];
  codings.forEach((coding, j) => {
    units.push(encodePlane(state, planes[j]!, coding));
    if (coding.signs) units.push(encodeSigns(state, threshold));
  });
  return { units, state };
}

function encodePlane(state: TileState, plane: Uint8Array, coding: PlaneCoding): Uint8Array {
  const groups = state.dense.length;
  const raw: number[] = [];
  for (let group = 0; group < groups; group++) if (state.dense[group] === DENSE) raw.push(group);
  const writer = new BitWriter();
  if (raw.length < groups) {
    const { apart } = coding;
    const bitmap = apart ? freshBits(state, plane) : plane;
    encodeBitmap(writer, bitmap, contextsOf(state, coding), codesOf(coding));
    if (apart) {
      forSignificant(state, (byte, known) => {
        writer.write(extract(plane[byte]!, known), POPULATION[known]!);
      });
    }
    forNewlySignificant(state, plane, (byte, fresh) => {
      writer.write(extract(state.signs[byte]!, fresh), POPULATION[fresh]!);
    });
    ageDense(state);
  }
  const bits = writer.finish();
  const unit = new Uint8Array(raw.length * GROUP_BYTES + bits.length);
  raw.forEach((group, i) => {
    unit.set(plane.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES), i * GROUP_BYTES);
  });
  unit.set(bits, raw.length * GROUP_BYTES);
  return unit;
}

function encodeSigns(state: TileState, threshold: number): Uint8Array {
  const writer = new BitWriter();
  forNewlyDense(state, threshold, (byte, unknown) => {
    writer.write(extract(state.signs[byte]!, unknown), POPULATION[unknown]!);
  });
  return writer.finish();
}

function extract(value: number, mask: number): number {
  return extractTable()[(mask << 8) | value]!;
}
