import { lastValueFrom, Observable } from 'rxjs';
import { collectHct, HctDecoderStream } from '../operators/hct.js';
import { HctReader } from '../readers/hctReader.js';
import { HctWriter } from '../sinks/hct.js';
import { memorySink } from '../sinks/memory.js';
import { collectTensor, TensorSink } from '../sinks/tensor.js';
import { bytesSource } from '../sources/bytes.js';
import type { CompressionAlgorithm } from '../src/codecs/codec.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';
import { float32ToBfloat16 } from '../src/tensor/float.js';
import { viewBytes } from '../src/tensor/tensor.js';
import { blockData } from '../test/helpers/blockData.js';
import { compare, warmCopy } from './harness.js';

const ELEMENTS = 1 << 23;
const CHUNK_SIZES = [64, 4096, 65536];

/**
 * 16 MiB through HCT, blocks of 16 KiB, verified: streamed into their array, as a stream of blocks, and by random access.
 * Weights in bfloat16, and a text, which compresses.
 */
export async function run(): Promise<void> {
  const rng = new SeededRng(1n);
  const weights = Float32Array.from({ length: ELEMENTS }, () => 0.02 * rng.nextNormal());
  await measure('bf16', viewBytes(float32ToBfloat16(weights)));
  await measure('text', blockData('text', 2 * ELEMENTS));
}

async function measure(kind: string, data: Uint8Array): Promise<void> {
  for (const algorithm of ['lz4', 'zstd'] as const) {
    const file = await encode(data, algorithm);
    const source = bytesSource(file);
    const out = new Uint16Array(data.length / 2).fill(1);
    // As the network brings it: the platform's copy of a whole array in one chunk would be most of the time.
    const response = () => new Response(chunked(file, 65536));
    const reader = await HctReader.open(source);
    await compare(`hct ${algorithm}, ${kind} 16 MiB`, data.length, [
      warmCopy(data.length),
      { name: 'stream to array', run: () => source.stream().pipeTo(new TensorSink()) },
      { name: 'Response to array', run: () => collectTensor(response()) },
      { name: 'Response, out', run: () => collectTensor(response(), { out }) },
      { name: 'stream of blocks', run: () => drain(source.stream().pipeThrough(new HctDecoderStream())) },
      { name: 'random access', run: () => reader.readAll() },
      { name: 'random access, out', run: () => reader.readAll({ out }) },
      { name: 'encode', run: () => encode(data, algorithm) },
    ]);
    // The streams themselves have their price: the baseline pipes the same chunks into a sink that does nothing.
    for (const size of CHUNK_SIZES) {
      await compare(`hct ${algorithm}, ${kind}, chunks of ${size}`, data.length, [
        { name: 'no work', run: () => chunked(file, size).pipeTo(new WritableStream()), baseline: true },
        { name: 'stream to array', run: () => chunked(file, size).pipeTo(new TensorSink()) },
        { name: 'operator to array', run: () => lastValueFrom(emitted(file, size).pipe(collectHct())) },
      ]);
    }
  }
}

async function encode(data: Uint8Array, algorithm: CompressionAlgorithm): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'BF16', shape: [data.length / 2], algorithm });
  await writer.write(data);
  await writer.close();
  return sink.bytes;
}

function chunked(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
    },
  });
}

function emitted(bytes: Uint8Array, size: number): Observable<Uint8Array> {
  return new Observable((subscriber) => {
    for (let at = 0; at < bytes.length; at += size) subscriber.next(bytes.subarray(at, at + size));
    subscriber.complete();
  });
}

async function drain(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const chunk of stream) if (chunk.length === 0) throw new Error('empty block');
}
