import { readNpyHeader } from '../../readers/npyHeader.js';
import { readBytes } from '../../readers/readGrammar.js';
import { assertRows } from '../../readers/tensorReader.js';
import { inTurns } from '../../src/async/steps.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { isTransposed, rowMajor } from '../../src/npy/elements.js';
import type { RandomAccessSource } from '../../src/source.js';
import { viewElements } from '../../src/tensor/tensor.js';
import { tensorWeight } from '../tensorWeight.js';
import { type LoadableTensor, type ModelContent, sharedFile } from './content.js';
import { WholeDecoder } from './wholeTensor.js';

/** The name that `numpy.savez` gives to an array without one. */
const NAME = 'arr_0';

/** A file of NumPy: a model of one tensor, in one piece. */
export async function openNpy(source: RandomAccessSource, options: OpenOptions): Promise<ModelContent> {
  const header = await readNpyHeader(source, limitsOf(options), options);
  const { dtype, shape, byteLength, dataStart } = header;
  const elements = async (bytes: Uint8Array, { signal }: AbortOptions) =>
    viewElements(dtype, await inTurns(rowMajor(header, bytes), signal));
  const tensor: LoadableTensor = {
    ...{ name: NAME, dtype, shape, byteLength, weight: tensorWeight(shape) },
    pieces: [{ file: sharedFile(source), offset: dataStart, length: byteLength, cosine: 1 }],
    createDecoder: async () =>
      new WholeDecoder(async (bytes, own) => ({ dtype, shape, data: await elements(bytes, own) })),
    async readRows(start, end, rowOptions) {
      assertRows(shape, start, end, NAME);
      const rowSize = byteLength / (shape[0] || 1);
      const rows = { dtype, shape: [end - start, ...shape.slice(1)] };
      if (!isTransposed(header)) {
        const size = (end - start) * rowSize;
        const bytes = await readBytes(source, dataStart + start * rowSize, size, rowOptions);
        return { ...rows, data: await elements(bytes, rowOptions) };
      }
      const bytes = await readBytes(source, dataStart, byteLength, rowOptions);
      const all = await inTurns(rowMajor(header, bytes), rowOptions.signal);
      return { ...rows, data: viewElements(dtype, all.slice(start * rowSize, end * rowSize)) };
    },
  };
  return {
    format: 'npy',
    metadata: new Map(),
    tensors: [tensor],
    close: async () => source.close?.(),
  };
}
