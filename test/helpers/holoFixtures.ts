import { decompress } from 'fzstd';
import { manifest, readReference, readReferenceF32 } from './fixtures.js';

/** A file of `fixtures/reference/holo` as the manifest describes it. */
export interface HoloFixture {
  readonly file: string;
  readonly source: string;
  readonly encoding: 'spectral' | 'rph' | 'lrdf';
  readonly totalFragments: number;
  readonly shape: readonly number[];
  readonly seed?: string;
  readonly decodes: readonly {
    readonly fragments: readonly number[];
    readonly expected: string;
    readonly referenceQuality: readonly number[] | null;
  }[];
}

export function holoFixtures(encoding: HoloFixture['encoding']): HoloFixture[] {
  return manifest<HoloFixture[]>('holo').filter((entry) => entry.encoding === encoding);
}

/** The fragments of a fixture, decompressed; taken apart without the parser that other tests are about. */
export function fixturePayloads({ file }: HoloFixture): Uint8Array[] {
  const bytes = readReference(file);
  const view = new DataView(bytes.buffer);
  const total = Math.max(1, view.getUint16(12, true));
  const data = 96 + 24 * total;
  return Array.from({ length: total }, (_, i) => {
    const entry = 96 + 24 * i;
    const start = data + view.getUint32(entry + 4, true);
    const stored = bytes.subarray(start, start + view.getUint32(entry + 8, true));
    return (view.getUint16(entry + 2, true) & 1) === 0 ? stored : decompress(stored);
  });
}

export function fixtureTensor(name: string): Float32Array {
  return readReferenceF32(name);
}
