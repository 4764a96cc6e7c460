import { concatenate } from '../../../bytes/binary.js';
import { codesOf, contextsOf } from '../contexts.js';
import type {
  DenseRule,
  EncodedTile,
  PlaneCoding,
  TileCoding,
  TileState,
  TileWeights,
} from '../interface.js';
import { extractTable } from '../maskTables.js';
import { POPULATION } from '../prefixCodes.js';
import { sortedPatterns } from '../survey.js';
import { DENSE, GROUP_BYTES, NEVER, newTileState } from '../tile.js';
import { encodeBitmap } from './bitmapCode.js';
import { BitWriter } from './bits.js';
import { encodeRemainder } from './remainder.js';
import { measureTile, split } from './survey.js';
import { ageDense, forNewlyDense, forNewlySignificant, forSignificant, freshBits } from './tileState.js';
import { numbersOf } from './weights.js';

export function encodeTile(
  tile: TileWeights,
  { scale, depth, dense, planes: codings, nonzero }: TileCoding,
  exceptions: Uint8Array,
): EncodedTile {
  const patterns = sortedPatterns(tile);
  const numbers = split(numbersOf(patterns, tile.layout), scale, depth);
  const state = newTileState(patterns.length, tile.scales, numbers.signs);
  const denseFrom = new Uint8Array(state.dense.length).fill(NEVER);
  const units: Uint8Array[] = [];
  codings.forEach((coding, j) => {
    units.push(encodePlane(state, numbers.planes[j]!, coding));
    units.push(encodeSigns(state, dense, coding.level, (group) => (denseFrom[group] = j)));
  });
  if (nonzero !== undefined) {
    const { layout } = tile;
    const bits = encodeRemainder({ state, layout, scale, selection: nonzero }, patterns);
    const unit = new Uint8Array(exceptions.length + bits.length);
    unit.set(exceptions);
    unit.set(bits, exceptions.length);
    units.push(unit);
  }
  const energy = numbers.xs.reduce((sum, x) => sum + x * x, 0);
  const lengths = Uint32Array.from(units, ({ length }) => length);
  return {
    bytes: concatenate(units),
    lengths,
    energy,
    sums: measureTile(numbers, depth, denseFrom),
    denseFrom,
  };
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
    ageDense(state, coding.codedDense);
  }
  const bits = writer.finish();
  const unit = new Uint8Array(raw.length * GROUP_BYTES + bits.length);
  raw.forEach((group, i) => {
    unit.set(plane.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES), i * GROUP_BYTES);
  });
  unit.set(bits, raw.length * GROUP_BYTES);
  return unit;
}

function encodeSigns(
  state: TileState,
  rule: DenseRule,
  level: number,
  visitDense: (group: number) => void,
): Uint8Array {
  const writer = new BitWriter();
  forNewlyDense(state, rule, level, (byte, unknown) => {
    visitDense(Math.floor(byte / GROUP_BYTES));
    writer.write(extract(state.signs[byte]!, unknown), POPULATION[unknown]!);
  });
  return writer.finish();
}

function extract(value: number, mask: number): number {
  return extractTable()[(mask << 8) | value]!;
}
