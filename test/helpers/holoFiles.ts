import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { HoloTensorEncoder, type HoloTensorEncoderOptions } from '../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import { portableKernels } from '../../src/kernels/portableKernels.js';
import { concatBytes } from './bytes.js';

/** A HoloTensor file in memory, its fragments stored as they are. */
export function holoFile<E extends HolographicEncoding>(
  encoding: E,
  data: Float32Array,
  shape: readonly number[],
  options?: HoloTensorEncoderOptions<E>,
): Uint8Array<ArrayBuffer> {
  const { header, fragments } = new HoloTensorEncoder(encoding, options).encode(data, shape);
  return concatBytes(packHoloTensor(header, fragments, { kernels: portableKernels }));
}
