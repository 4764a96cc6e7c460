import { encodedShape } from '../../models/file/firstPiece.js';
import type { LocatedTensor } from '../../models/file/sourceFiles.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { countedTiles } from '../../src/encodings/embedded/codings.js';
import { TensorPlanner, withCodings } from '../../src/encodings/embedded/planTensor.js';
import { elementsAsBits, type Source } from '../../src/encodings/embedded/source.js';
import { embeddedEncodeKernels } from '../../src/kernels/embedded/encodeKernels.js';
import { DTYPES, elementCount } from '../../src/tensor/dtype.js';
import { viewElements } from '../../src/tensor/tensor.js';
import { eachInOrder } from '../eachInOrder.js';
import type { UnitContext } from '../unitContext.js';
import type { Unit } from '../units.js';
import { readPlan, type StoredPlan, writePlan } from './planNote.js';

/** Bytes of a tensor that are surveyed at a time. */
const PART_BYTES = 2 ** 24;

/**
 * The plan of a tensor that is divided: the one that is stored, or a new one, for which the tensor is read once. Memory: some
 * megabytes, and what is known of its rows.
 */
export async function planUnit(
  { opened, storage, tools }: UnitContext,
  unit: Unit,
  { signal }: AbortOptions,
): Promise<StoredPlan> {
  const found = await readPlan(storage, opened.id, unit, tools.kernels, { signal });
  if (found !== undefined) return found;
  const tensor = unit.tensors[0]!;
  const { shape, byteLength } = tensor;
  const elements = elementCount(shape);
  const elementBytes = byteLength / elements;
  const kernels = embeddedEncodeKernels(tools.kernels);
  const bits = bitsOf(tensor, new Uint8Array(0));
  const planner = new TensorPlanner(encodedShape(shape), elements, bits, kernels);
  const step = planner.partStep * elementBytes;
  const parts = cut(byteLength, step * Math.max(1, Math.floor(PART_BYTES / step)));
  for await (const bytes of eachInOrder(parts, readerOf(tensor), { most: 2 * PART_BYTES, signal }))
    planner.add(bitsOf(tensor, bytes).patterns);
  const surveyed = planner.finish();
  const tileBytes = 2 ** surveyed.planes.tileLog2 * elementBytes;
  const counted = new Map<number, Source['patterns']>();
  const numbers = countedTiles(elements, surveyed.planes);
  const tiles = numbers.map((tile) => rangeAt(tile * tileBytes, tileBytes, byteLength));
  for await (const bytes of eachInOrder(tiles, readerOf(tensor), { most: PART_BYTES, signal }))
    counted.set(numbers[counted.size]!, bitsOf(tensor, bytes).patterns);
  const plan = withCodings(surveyed, bits, kernels, (tile) => counted.get(tile)!);
  return writePlan(storage, opened.id, unit, plan, tools.kernels, { signal });
}

interface BytesOfTensor {
  readonly offset: number;
  readonly size: number;
}

const rangeAt = (offset: number, size: number, end: number): BytesOfTensor => ({
  offset,
  size: Math.min(size, end - offset),
});

function cut(length: number, size: number): BytesOfTensor[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => rangeAt(i * size, size, length));
}

function readerOf({ source, offset: start }: LocatedTensor) {
  return ({ offset, size }: BytesOfTensor, signal: AbortSignal) =>
    source.read(start + offset, size, { signal });
}

/** The elements of a part of a tensor. */
export function bitsOf({ dtype }: LocatedTensor, bytes: Uint8Array): Source {
  const known = DTYPES.find((one) => one === dtype)!;
  const data = viewElements(known, bytes);
  return elementsAsBits({ dtype: known, shape: [data.length], data });
}
