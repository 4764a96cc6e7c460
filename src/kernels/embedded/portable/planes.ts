import { codesOf, contextsOf } from '../contexts.js';
import type { DenseRule, PlaneCoding, TileState, TileStep } from '../interface.js';
import { depositTable } from '../maskTables.js';
import { POPULATION } from '../prefixCodes.js';
import { checkLength, checkSelection, DENSE, GROUP_BYTES, groupsOf } from '../tile.js';
import { decodeBitmap } from './bitmapCode.js';
import { BitReader } from './bits.js';
import { ageDense, forNewlyDense, forNewlySignificant, forSignificant, setGroups } from './tileState.js';

export function decodeSteps(steps: readonly TileStep[], rule: DenseRule): void {
  for (const { unit, state, from, to, coding, plane } of steps) {
    const whole = to - from === state.groups;
    const part = whole ? state : groupsOf(state, from, to);
    if (plane === undefined) decodeSigns(unit, part, rule, coding.level);
    else decodePlane(unit, part, plane, coding);
    if (!whole) setGroups(state, from, part);
  }
}

function decodePlane(unit: Uint8Array, state: TileState, plane: Uint8Array, coding: PlaneCoding): void {
  let stored = 0;
  for (let group = 0; group < state.dense.length; group++) {
    if (state.dense[group] !== DENSE) continue;
    const start = group * GROUP_BYTES;
    for (let i = 0; i < GROUP_BYTES; i++) plane[start + i] = unit[stored + i]!;
    stored += GROUP_BYTES;
  }
  const reader = new BitReader(unit.subarray(stored));
  if (stored < state.dense.length * GROUP_BYTES) {
    if (!coding.fixed) checkSelection(coding.selection, state.counts, state.dense);
    decodeBitmap(reader, plane, contextsOf(state, coding), codesOf(coding));
    if (coding.apart) {
      forSignificant(state, (byte, known) => {
        plane[byte]! |= deposit(reader.read(POPULATION[known]!), known);
      });
    }
    forNewlySignificant(state, plane, (byte, fresh) => {
      state.signs[byte]! |= deposit(reader.read(POPULATION[fresh]!), fresh);
    });
    ageDense(state, coding.codedDense);
  }
  checkLength(unit, stored + Math.ceil(reader.position / 8));
}

function decodeSigns(unit: Uint8Array, state: TileState, rule: DenseRule, level: number): void {
  const reader = new BitReader(unit);
  forNewlyDense(state, rule, level, (byte, unknown) => {
    state.signs[byte]! |= deposit(reader.read(POPULATION[unknown]!), unknown);
  });
  checkLength(unit, Math.ceil(reader.position / 8));
}

function deposit(bits: number, mask: number): number {
  return depositTable()[(mask << 8) | bits]!;
}
