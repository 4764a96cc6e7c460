/** The files that the jobs of `abortJobs.ts` read from a server, and the numbers in them. */
import { encodeModel } from '../../../models/directory/encodeModel.js';
import { HctWriter } from '../../../sinks/hct.js';
import { HoloTensorWriter } from '../../../sinks/holotensor.js';
import { type MemorySink, memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { HoloTensorEncoder } from '../../../src/holotensor/encoder.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { type Tensor, viewBytes } from '../../../src/tensor/tensor.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { noise } from '../../helpers/random.js';

function tensor(rows: number, cols: number, seed: number) {
  return {
    dtype: 'F32',
    shape: [rows, cols],
    data: noise(rows * cols, seed),
  } as const satisfies Tensor<'F32'>;
}

/** Too small for workers; large enough for workers that reconstruct; for those that decompress. */
export const SMALL = tensor(90, 80, 1);
export const MEDIUM = tensor(300, 300, 2);
export const LARGE = tensor(1100, 1000, 3);

export async function servedFiles(): Promise<Record<string, Uint8Array>> {
  const small = model(SMALL, ['a', 'b']);
  const directory: Record<string, MemorySink> = {};
  await encodeModel(bytesSource(small), async (name) => {
    directory[`directory/${name}`] = memorySink();
    return directory[`directory/${name}`]!;
  });
  const weightMap = { a: '1.safetensors', b: '2.safetensors' };
  return {
    'small.hct': await hctFile(SMALL),
    'large.hct': await hctFile(LARGE),
    'small.holo': await holoFile(SMALL),
    'medium.holo': await holoFile(MEDIUM),
    'model.safetensors': small,
    'model.holo.safetensors': await modelFileOf(small),
    'medium.holo.safetensors': await modelFileOf(model(MEDIUM, ['a', 'b'])),
    ...Object.fromEntries(Object.entries(directory).map(([name, { bytes }]) => [name, bytes])),
    '1.safetensors': model(SMALL, ['a']),
    '2.safetensors': model(SMALL, ['b']),
    'model.safetensors.index.json': new TextEncoder().encode(JSON.stringify({ weight_map: weightMap })),
  };
}

/** A safetensors file with the same tensor under several names. */
function model({ dtype, shape, data }: ReturnType<typeof tensor>, names: readonly string[]): Uint8Array {
  const tensors = names.map((name) => ({ name, dtype, shape }));
  return modelOf(tensors, undefined, () => viewBytes(data));
}

async function hctFile({ data, ...rest }: ReturnType<typeof tensor>): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { ...rest, blockSize: 16_384 });
  await writer.write(viewBytes(data));
  await writer.close();
  return sink.bytes;
}

async function holoFile(whole: ReturnType<typeof tensor>): Promise<Uint8Array> {
  const sink = memorySink();
  const encoder = new HoloTensorEncoder('embedded', { kernels: await loadKernels() });
  const { header, fragments } = encoder.encodeTensor(whole);
  await new HoloTensorWriter(sink).write(header, fragments);
  return sink.bytes;
}
