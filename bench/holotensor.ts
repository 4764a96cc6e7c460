import { FragmentDecoderStream, ReconstructionStream } from '../operators/holotensor.js';
import { HoloTensorReader } from '../readers/holotensorReader.js';
import { HoloTensorWriter } from '../sinks/holotensor.js';
import { memorySink } from '../sinks/memory.js';
import { bytesSource } from '../sources/bytes.js';
import { HoloTensorEncoder } from '../src/holotensor/encoder.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';
import { loadKernels } from '../src/kernels/loadKernels.js';
import { compare, warmCopy } from './harness.js';

const FRAGMENTS = 8;
const SIDES = [1024, 4096];

/** An f32 matrix to a whole file, uncompressed, and back: checksums verified, norms taken, transformed. */
export async function run(): Promise<void> {
  await loadKernels();
  for (const encoding of ['spectral', 'random-projection'] as const) {
    for (const side of SIDES) {
      const rng = new SeededRng(BigInt(side));
      const data = Float32Array.from({ length: side * side }, () => 0.02 * rng.nextNormal());
      const out = new Float32Array(data.length).fill(1);
      const encode = async () => {
        const sink = memorySink();
        const encoder = new HoloTensorEncoder(encoding, { fragments: FRAGMENTS });
        const { header, fragments } = encoder.encode(data, [side, side]);
        await new HoloTensorWriter(sink, { compression: 'none' }).write(header, fragments);
        return sink.bytes;
      };
      const source = bytesSource(await encode());
      await compare(`${encoding} file, ${side}²`, data.byteLength, [
        warmCopy(data.byteLength),
        { name: 'array to bytes', run: encode },
        { name: 'bytes to array', run: async () => (await HoloTensorReader.open(source)).readAll({ out }) },
        { name: 'stream to array', run: () => lastOf(source.stream()) },
      ]);
    }
  }
}

async function lastOf(stream: ReadableStream<Uint8Array>): Promise<void> {
  const tensors = stream
    .pipeThrough(new FragmentDecoderStream())
    .pipeThrough(new ReconstructionStream({ emit: 'end' }));
  for await (const { complete } of tensors) if (!complete) throw new Error('fragments are missing');
}
