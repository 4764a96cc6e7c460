import { isShared } from '../src/bytes/sharedMemory.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { allocating, Budget, limitsOf } from '../src/checks/limits.js';
import { type ElementRange, RANGE_STEPS } from '../src/encodings/encoding.js';
import { WorkerError } from '../src/errors.js';
import type { FragmentIndexEntry } from '../src/holotensor/fragment.js';
import type { HoloTensorHeader } from '../src/holotensor/header.js';
import type { Reconstruction } from '../src/holotensor/reconstruction.js';
import { serializeHoloTensorHeader } from '../src/holotensor/serializeHeader.js';
import type { StoredTensor } from '../src/holotensor/tasks.js';
import { byteLengthOf, elementCount } from '../src/tensor/dtype.js';
import { viewBytes, viewElements } from '../src/tensor/tensor.js';
import { CommonInput } from '../workers/buffers.js';
import { eachBounded } from '../workers/eachBounded.js';
import type { WorkerPool } from '../workers/pool.js';
import { sharedPool } from '../workers/sharedPool.js';

/** Fewer elements take less time to decode than another worker needs to unpack all fragments. */
const MIN_PART = 2 ** 21;
/** The same if the output array is new, because this thread must map its pages. */
const MIN_PART_OF_NEW = 2 ** 23;

/** All fragments of a tensor, as they follow one another in its file. */
interface StoredFile {
  readonly header: HoloTensorHeader;
  readonly entries: readonly FragmentIndexEntry[];
  readonly data: Uint8Array;
}

type Options = StoredTensor['options'] & Pick<StoredTensor, 'out'> & AbortOptions;

/** Decodes a tensor, or the range that the options name. */
type Decode = (options: Options) => Promise<Part>;
type Part = Omit<Reconstruction, 'header'>;

/**
 * Reconstructs the tensor from these fragments in one worker, or in as many as its size justifies. `out` has the type
 * of the `data`, or its bytes.
 * @param minPart fewest elements for a worker, at least a step of ranges
 */
export async function reconstructInWorkers(
  workers: number | WorkerPool,
  file: StoredFile,
  { out, ...rest }: Omit<Options, 'out'> & { readonly out?: Float32Array | Uint8Array | undefined },
  minPart = out === undefined ? MIN_PART_OF_NEW : MIN_PART,
): Promise<Reconstruction> {
  const pool = sharedPool(workers);
  const { header } = file;
  // Before the output is allocated, which workers would only fill.
  const bytes = elementCount(header.shape) * Float32Array.BYTES_PER_ELEMENT;
  new Budget(limitsOf(rest), file.data.length).check({ bytes, steps: 0 });
  const options: Options = { ...rest, out: out && viewBytes(out) };
  const input = new CommonInput(file.data);
  const decode: Decode = (partOptions) => decodeInWorker(pool, file, input, partOptions);
  const ranges = cutTensor(pool.size, minPart, header, options);
  let tensor: Part | undefined;
  try {
    if (ranges.length > 1) tensor = await decodeRanges(header, ranges, options, decode);
  } catch (error) {
    if (options.signal?.aborted || error instanceof WorkerError) throw error;
    // Only a decoder of the whole tensor can tell which of several faults comes first.
  }
  tensor ??= await decode(options);
  return { ...tensor, data: out ?? tensor.data, header };
}

/** Ranges of nearly the same length; none where one worker is as fast, or will refuse the tensor. */
function cutTensor(
  workers: number,
  minPart: number,
  { encoding, shape }: HoloTensorHeader,
  { out, limits }: Options,
): ElementRange[] {
  const rangeStep = RANGE_STEPS[encoding];
  const elements = elementCount(shape);
  const byteLength = elements * Float32Array.BYTES_PER_ELEMENT;
  const tooLarge = byteLength > limitsOf({ limits }).tensorBytes;
  const refused = tooLarge || (out !== undefined && out.length !== byteLength);
  if (rangeStep === undefined || refused) return [];
  const parts = Math.min(workers, Math.floor(elements / minPart));
  const border = (i: number) =>
    i === parts ? elements : Math.floor((i * elements) / parts / rangeStep) * rangeStep;
  return Array.from({ length: parts }, (_, i) => ({ start: border(i), end: border(i + 1) }));
}

async function decodeRanges(
  header: HoloTensorHeader,
  ranges: readonly ElementRange[],
  options: Options,
  decode: Decode,
): Promise<Part> {
  const dtype = options.dtype === 'source' ? header.dtype : 'F32';
  const byteLength = byteLengthOf(dtype, elementCount(header.shape));
  const out = options.out ?? allocating(() => new Uint8Array(byteLength));
  let last: Part;
  await eachBounded(
    ranges.values(),
    ranges.length,
    async (range, signal) => {
      last = await decode({
        ...options,
        range,
        out: out.subarray(byteLengthOf(dtype, range.start), byteLengthOf(dtype, range.end)),
        signal,
      });
    },
    options.signal,
  );
  return { ...last!, data: viewElements(dtype, out) };
}

/** Fills `out`, or gives a new array. */
async function decodeInWorker(
  pool: WorkerPool,
  { header, entries }: StoredFile,
  common: CommonInput,
  { out, signal, ...options }: Options,
): Promise<Part> {
  const direct = out && isShared(out.buffer) ? out : undefined;
  const tensor = await pool.runPrepared(
    'reconstructStored',
    (buffers) => {
      // A copy, because the bytes may belong to the source.
      const { bytes, borrowed, done } = common.take(buffers);
      const fragments = entries.map((entry) => ({
        entry,
        stored: bytes.subarray(entry.offset, entry.offset + entry.compressedSize),
      }));
      const target = direct ?? (out && buffers.take(out.length));
      return {
        input: { header: serializeHoloTensorHeader(header), fragments, options, out: target },
        transfer: target === undefined ? [] : [target.buffer],
        borrowed,
        done,
      };
    },
    { signal },
  );
  if (out !== undefined && direct === undefined) {
    out.set(viewBytes(tensor.data));
    pool.buffers.give([tensor.data.buffer]);
  }
  return tensor;
}
