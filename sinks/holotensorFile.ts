import { checkOptions } from '../src/checks/options.js';
import type { HolographicEncoding } from '../src/encodings/encoding.js';
import { HoloTensorEncoder, type HoloTensorEncoderOptions } from '../src/holotensor/encoder.js';
import type { HoloFragment } from '../src/holotensor/fragment.js';
import type { HoloTensorHeader } from '../src/holotensor/header.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import type { DType } from '../src/tensor/dtype.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { fileSink } from './file.js';
import { HOLO_WRITER_RULES, HoloTensorWriter, type HoloTensorWriterOptions } from './holotensor.js';

/**
 * Writes fragments as a HoloTensor file.
 *
 * @example
 * const { header, fragments } = await readHoloTensor('fc1.weight.holo');
 * await writeHoloTensor('copy.holo', header, fragments);
 *
 * @returns size of the file in bytes
 */
export async function writeHoloTensor(
  path: string | URL,
  header: HoloTensorHeader,
  fragments: readonly HoloFragment[],
  options: HoloTensorWriterOptions = {},
): Promise<number> {
  // Before there is a file that would have to be removed.
  checkOptions(options, HOLO_WRITER_RULES);
  return new HoloTensorWriter(await fileSink(path), options).write(header, fragments);
}

/**
 * Encodes a tensor to a HoloTensor file.
 *
 * @example
 * const data = new Float32Array(768 * 64).map(() => Math.random() - 0.5);
 * await encodeToFile('fc1.holo', { dtype: 'F32', shape: [768, 64], data }, 'embedded', { fragments: 16 });
 *
 * @returns size of the file in bytes
 */
export async function encodeToFile<E extends HolographicEncoding>(
  path: string | URL,
  tensor: Tensor<DType>,
  encoding: E,
  options: HoloTensorEncoderOptions<E> & HoloTensorWriterOptions = {},
): Promise<number> {
  checkOptions<HoloTensorWriterOptions>(options, HOLO_WRITER_RULES);
  const kernels = options.kernels === undefined ? await loadKernels() : options.kernels;
  const encoder = new HoloTensorEncoder(encoding, { ...options, kernels } as HoloTensorEncoderOptions<E>);
  const { header, fragments } = encoder.encodeTensor(tensor);
  return writeHoloTensor(path, header, fragments, options);
}
