import { askedFragments } from '../../models/file/encodeTensor.js';
import { writeHoloTensor } from '../../sinks/holotensorFile.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { ArgumentError } from '../../src/errors.js';
import { HoloTensorEncoder, type HoloTensorEncoderOptions } from '../../src/holotensor/encoder.js';
import { encodeFragments } from '../../src/holotensor/encodeTask.js';
import type { HoloFragment } from '../../src/holotensor/fragment.js';
import { type HoloTensorHeader, parseHoloTensorHeader } from '../../src/holotensor/header.js';
import type { DType } from '../../src/tensor/dtype.js';
import { type Tensor, viewBytes } from '../../src/tensor/tensor.js';
import type { Buffers } from '../../workers/buffers.js';
import { loadPool } from '../../workers/loadPool.js';
import { DataError } from '../failure.js';
import { clearLeftovers } from '../files.js';
import { collectInput, openTensor } from '../input/tensorInput.js';
import type { EncodeOptions } from '../options.js';
import type { Outcome } from '../output.js';
import { startProgress } from '../progress.js';
import { counted } from '../report.js';
import { tell } from '../terminal.js';
import { encoderOptions, takesLong } from './encoderOptions.js';

/** Encodes one tensor to a HoloTensor file. */
export async function encodeHoloTensor(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const { output, encoding = 'embedded', algorithm, level } = options;
  const own = encoderOptions(encoding, options);
  await using opened = await openTensor(names, options, { signal });
  using progress = startProgress('reading', opened.byteLength);
  try {
    const tensor = await collectInput(opened, progress);
    await clearLeftovers(output);
    const { header, fragments } = await encoded(tensor, encoding, own, signal);
    const fileSize = await writeHoloTensor(output, header, fragments, {
      compression: algorithm,
      level,
      signal,
    });
    const asked = askedFragments(own) ?? 0;
    if (fragments.length < asked)
      tell(`${counted(fragments.length, 'fragment')}, not ${asked}: the tensor is too small for more`);
    return {
      ...{ tensors: 1, originalSize: header.originalSize, fileSize },
      more: { data: { fragments: fragments.length }, words: [counted(fragments.length, 'fragment')] },
    };
  } catch (error) {
    // The options have been checked: what an encoder refuses now is the tensor (its rank, a NaN in it).
    if (error instanceof ArgumentError) throw new DataError(error.message, { cause: error });
    throw error;
  }
}

/** Encodes in a thread where that takes so long that Ctrl-C would wait. */
async function encoded(
  { dtype, shape, data }: Tensor<DType>,
  encoding: HolographicEncoding,
  options: HoloTensorEncoderOptions,
  signal: AbortSignal,
): Promise<{ readonly header: HoloTensorHeader; readonly fragments: readonly HoloFragment[] }> {
  new HoloTensorEncoder(encoding, options);
  const bytes = viewBytes(data);
  const input = { encoding, options, dtype, shape };
  const pool = await loadPool(takesLong(encoding, bytes.length) ? 1 : 0);
  const prepare = (buffers: Buffers) => {
    const copy = buffers.copy(bytes);
    return { input: { ...input, data: copy }, borrowed: copy === bytes ? [] : [copy.buffer] };
  };
  const { header, fragments } =
    pool === undefined
      ? (await encodeFragments({ ...input, data: bytes })).output
      : await pool.runPrepared('encodeFragments', prepare, { signal });
  return { header: parseHoloTensorHeader(header), fragments };
}
