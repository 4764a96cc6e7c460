import type { ModelFile } from '../models/file/modelFile.js';
import { modelFileContent } from '../models/inputs/modelFile.js';
import { type Chosen, choosePieces } from '../models/plain/choosePieces.js';
import type { HoloTensorReader } from '../readers/holotensorReader.js';
import type { Reconstruction } from '../src/holotensor/reconstruction.js';
import type { RandomAccessSource } from '../src/source.js';

/** How far a file of fragments goes: less than the whole where it ends early. */
export interface Reach {
  /** Bytes that exist, and bytes of the whole. */
  readonly available: number;
  readonly fileSize: number;
}

export function reachOfModel(model: ModelFile, source: RandomAccessSource): Reach & Chosen {
  const { available, fileSize } = model;
  return { available, fileSize, ...choosePieces(modelFileContent(model, source).tensors) };
}

export function reachOfTensor({ entries, dataStart }: HoloTensorReader, { size }: RandomAccessSource): Reach {
  const { offset, compressedSize } = entries.at(-1)!;
  const fileSize = dataStart + offset + compressedSize;
  return { available: Math.min(size ?? fileSize, fileSize), fileSize };
}

export function isCutOff({ available, fileSize }: Reach): boolean {
  return available < fileSize;
}

/** "cut off: 12.3 % of it is here (1234 of 9999 bytes)" */
export function describeReach({ available, fileSize }: Reach): string {
  const percent = ((100 * available) / fileSize).toFixed(1);
  return `cut off: ${percent} % of it is here (${available} of ${fileSize} bytes)`;
}

/** The same, with the quality. */
export function describeModelReach(reach: Reach & Chosen): string {
  return `${describeReach(reach)}, quality ${reach.quality.toFixed(6)}`;
}

/** "3 of 8 fragments, quality 0.900020" */
export function describeReconstruction({
  quality,
  fragments,
  total,
}: Pick<Reconstruction, 'quality' | 'fragments' | 'total'>): string {
  const { cosine, predicted } = quality;
  const known = cosine === undefined ? `${predicted.toFixed(4)} as predicted` : cosine.toFixed(6);
  return `${fragments} of ${total} fragments, quality ${known}`;
}
