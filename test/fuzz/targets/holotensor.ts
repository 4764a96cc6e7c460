import { HoloTensorReader } from '../../../readers/holotensorReader.js';
import { bytesSource } from '../../../sources/bytes.js';
import type { LimitsOption } from '../../../src/checks/limits.js';
import { loadDecodings } from '../../../src/encodings/decodings.js';
import type { HolographicEncoding } from '../../../src/encodings/encoding.js';
import { TruncatedError } from '../../../src/errors.js';
import { HoloTensorDecoder } from '../../../src/holotensor/decoder.js';
import { FragmentReceiver } from '../../../src/holotensor/fragmentReceiver.js';
import type { HoloTensorHeader } from '../../../src/holotensor/header.js';
import type { ReconstructionQuality } from '../../../src/holotensor/quality.js';
import { reconstructStored } from '../../../src/holotensor/tasks.js';
import { FragmentUnpacker } from '../../../src/holotensor/unpack.js';
import type { Kernels } from '../../../src/kernels/kernels.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { elementCount } from '../../../src/tensor/dtype.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import type { Reading, Target, Way } from '../target.js';
import { holoAnatomy } from './holotensorAnatomy.js';
import { holoSeeds } from './holotensorSeeds.js';
import { drive, pieces } from './stages.js';

/** HoloTensor files of each encoding: pushed whole and in pieces, read at random, decoded as a worker does. */

/** Limits of a tensor, in bytes of f32. A Gaussian projection draws a row of all elements for each value. */
const MAX_BYTES: Readonly<Record<HolographicEncoding, number>> = {
  spectral: 2 ** 18,
  'random-projection': 2 ** 14,
  'low-rank': 2 ** 18,
  embedded: 2 ** 18,
};

export async function holotensorTargets(): Promise<Target[]> {
  const [kernels] = await Promise.all([loadKernels(), loadDecodings()]);
  const seeds = await holoSeeds();
  return (Object.keys(MAX_BYTES) as HolographicEncoding[]).map((encoding) => ({
    name: `holotensor-${encoding}`,
    seeds: seeds[encoding],
    anatomy: holoAnatomy,
    ways: ways(kernels, MAX_BYTES[encoding]),
    memory: (input) => 2 ** 22 + 32 * MAX_BYTES[encoding] + 64 * input.length,
  }));
}

function ways(kernels: Kernels, maxBytes: number): Way[] {
  const open = (input: Uint8Array) => HoloTensorReader.open(bytesSource(input), within(maxBytes));
  return [
    { name: 'pushed', read: (input) => pushed([input], kernels, maxBytes) },
    { name: 'pushed in pieces, portable', read: (input) => pushed(pieces(input), portableKernels, maxBytes) },
    {
      name: 'reader',
      async read(input, arena) {
        const reader = await open(input);
        const elements = elementCount(reader.shape);
        const out = 4 * elements > maxBytes ? undefined : arena.floats(elements);
        const { data, quality } = await reader.readAll({ out });
        assertSound(quality);
        return { facts: factsOf(reader.header), numbers: data as Float32Array };
      },
    },
    {
      name: 'reader, last fragment first',
      every: 2,
      async read(input) {
        const reader = await open(input);
        const indexes = reader.entries.map(({ index }) => index).sort((a, b) => b - a);
        const { data, quality } = await reader.readFragments(indexes);
        assertSound(quality);
        const facts = factsOf(reader.header);
        // In the layout 'essential', the first value of a coefficient counts: another order gives other numbers.
        return reader.header.encoding === 'spectral' ? { facts } : { facts, numbers: data as Float32Array };
      },
    },
    {
      name: 'reader, in the dtype of the tensor',
      async read(input, arena) {
        const reader = await open(input);
        const { header } = reader;
        const out = arena.bytes(Math.min(header.originalSize, maxBytes));
        if (out.length < header.originalSize || out.length === 0) await reader.readAll();
        else await reader.readInto(out);
        return { facts: factsOf(header), content: exactContent(header, out) };
      },
    },
    { name: 'task of a worker', read: (input) => readAsWorker(input, maxBytes) },
  ];
}

function within(tensorBytes: number): LimitsOption {
  return { limits: { tensorBytes } };
}

async function pushed(chunks: readonly Uint8Array[], kernels: Kernels, maxBytes: number): Promise<Reading> {
  const implementation = kernels === portableKernels ? 'portable' : 'wasm';
  const unpacker = new FragmentUnpacker(kernels, { ...within(maxBytes), implementation });
  const fragments = await drive(new FragmentReceiver(unpacker, within(maxBytes)), chunks);
  const { header } = fragments[0]!;
  const decoder = new HoloTensorDecoder(header, { kernels, ...within(maxBytes) });
  for (const [i, fragment] of fragments.entries()) {
    decoder.addFragment(fragment);
    assertSound(decoder.quality);
    if (i === 0) decoder.reconstruct();
  }
  const numbers = decoder.reconstruct();
  const content = exactContent(header, viewBytes(decoder.reconstructTensor().data));
  return { facts: factsOf(header), numbers, content };
}

async function readAsWorker(input: Uint8Array, maxBytes: number): Promise<Reading> {
  const { header, entries, dataStart } = await HoloTensorReader.open(bytesSource(input), within(maxBytes));
  const fragments = entries.map((entry) => {
    const start = dataStart + entry.offset;
    const stored = input.subarray(start, start + entry.compressedSize);
    if (stored.length === entry.compressedSize) return { entry, stored };
    throw new TruncatedError('Cannot read the fragment: the file ends within it');
  });
  const task = { header: input.subarray(0, 96), fragments, options: within(maxBytes) };
  const { output } = await reconstructStored(task, new AbortController().signal);
  return { facts: factsOf(header), numbers: output.data as Float32Array };
}

function factsOf({ dtype, shape, encoding }: HoloTensorHeader): string {
  return `${encoding} ${dtype} ${shape}`;
}

/** The other encodings round, and wasm does so in another order. */
function exactContent({ encoding }: HoloTensorHeader, bytes: Uint8Array): Uint8Array | undefined {
  return encoding === 'embedded' ? bytes : undefined;
}

/** @throws Error for a quality that cannot be: a finding, whatever the input is */
function assertSound({ fraction, predicted, cosine, relativeError }: ReconstructionQuality): void {
  const between = (value: number | undefined, low: number, high: number) =>
    value === undefined || (value >= low && value <= high);
  const sound = between(fraction, 0, 1) && between(predicted, 0, 1) && between(cosine, -1, 1);
  if (sound && between(relativeError, 0, Number.POSITIVE_INFINITY)) return;
  throw new Error(`impossible quality: ${fraction}, ${predicted}, ${cosine}, ${relativeError}`);
}
