import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctEncoderStream } from '../../../operators/hct.js';
import { HctReader } from '../../../readers/hctReader.js';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError, LimitError, TruncatedError, UnsupportedError } from '../../../src/errors.js';
import type { HctEncodeOptions } from '../../../src/hct/encoder.js';
import { parseHctHeader } from '../../../src/hct/header.js';
import { HctParser } from '../../../src/hct/parser.js';
import { byteLengthOf, DTYPES, elementCount } from '../../../src/tensor/dtype.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { chunked, collect } from '../../helpers/streams.js';

const test = suite('HCT: round trips');

async function write(bytes: Uint8Array, options: HctEncodeOptions, chunk = 1000): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, options);
  for (let at = 0; at < bytes.length; at += chunk) await writer.write(bytes.subarray(at, at + chunk));
  const stats = await writer.close();
  assert.is(stats.fileSize, sink.bytes.length);
  return sink.bytes;
}

const tensors = fc
  .record({
    dtype: fc.constantFrom(...DTYPES),
    shape: fc.array(fc.nat(9), { maxLength: 6 }),
    version: fc.constantFrom(1 as const, 2 as const),
    algorithm: fc.constantFrom('lz4' as const, 'zstd' as const),
    blockSize: fc.integer({ min: 1, max: 700 }),
    blockChecksums: fc.boolean(),
    name: fc.option(fc.string(), { nil: undefined }),
    chunk: fc.integer({ min: 1, max: 500 }),
    seed: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  })
  .filter(({ shape }) => elementCount(shape) <= 3000)
  .map(({ chunk, seed, ...options }) => {
    const plain = options.version === 2 || options.shape.length <= 3;
    const version = plain ? options.version : 2;
    const length = byteLengthOf(options.dtype, elementCount(options.shape));
    const bytes = Uint8Array.from({ length }, (_, i) => seed[(i * i) % seed.length]! ^ (i % 5));
    if (version === 2) return { bytes, chunk, options: { ...options, version } };
    const { blockChecksums: _, name: __, ...rest } = options;
    return { bytes, chunk, options: { ...rest, version } };
  });

test('any tensor, any options, any chunks: writer and stream encoder agree, every reader gets it back', async () => {
  await fc.assert(
    fc.asyncProperty(tensors, async ({ bytes, chunk, options }) => {
      const file = await write(bytes, options, chunk);
      const streamed = await collect(chunked(bytes, chunk).pipeThrough(new HctEncoderStream(options)));
      assert.equal(Buffer.concat(streamed), Buffer.from(file));
      const reader = await HctReader.open(bytesSource(file));
      for (const tensor of [await reader.readAll(), await collectTensor(chunked(file, chunk))]) {
        assert.equal(Buffer.from(viewBytes(tensor.data)), Buffer.from(bytes));
        assert.equal([...tensor.shape], options.shape);
        assert.is(tensor.name, 'name' in options ? options.name : undefined);
      }
      const from = Math.floor(bytes.length / 3);
      const to = Math.floor(bytes.length / 2);
      assert.equal(Buffer.from(await reader.read(from, to)), Buffer.from(bytes.subarray(from, to)));
    }),
    { numRuns: 150 },
  );
});

test('a shape that the header cannot hold stands behind the blocks; the header says rank 1', async () => {
  for (const shape of [
    [2, 3, 2, 2],
    [1, 0, 2 ** 24 + 1],
  ]) {
    const bytes = new Uint8Array(4 * elementCount(shape)).map((_, i) => i);
    const file = await write(bytes, { dtype: 'F32', shape });
    assert.equal([...parseHctHeader(file).shape], [elementCount(shape)]);
    assert.equal([...(await HctReader.open(bytesSource(file))).shape], shape);
  }
});

test('per-group scales are kept', async () => {
  const quantization = {
    scheme: 'gptq-int4',
    perGroupScales: true,
    scaleBits: 0x3c00,
    zeroPoint: -8,
    groupSize: 4,
  } as const;
  const groupScales = Uint16Array.of(0x3c00, 0x4000, 0x4200);
  const options = { dtype: 'I4', shape: [3, 3], quantization, groupScales } as const;
  const file = await write(Uint8Array.of(1, 2, 3, 4, 5), options);
  const tensor = await collectTensor(chunked(file, 3));
  assert.equal([tensor.groupScales, tensor.quantization], [groupScales, quantization]);
  assert.equal((await HctReader.open(bytesSource(file))).groupScales, groupScales);
  // Node's Buffers share their memory with others, and `slice` does not copy it.
  const pooled = new HctParser().push(Buffer.concat([Buffer.alloc(3), file]).subarray(3));
  assert.equal(
    [...pooled].flatMap((part) => (part.kind === 'end' ? [part.groupScales] : [])),
    [groupScales],
  );
  const { groupScales: _, ...without } = options;
  throws(() => new HctWriter(memorySink(), without), ArgumentError, /scales: expected 3, got 0/);
});

test('the writer refuses what it cannot write, before it writes', () => {
  const make = (options: HctEncodeOptions) => () => new HctWriter(memorySink(), options);
  throws(make({ dtype: 'F32', shape: [2 ** 30] }), LimitError, /4 GiB/);
  throws(make({ dtype: 'F32', shape: [2 ** 30, 2 ** 30] }), LimitError, /4 GiB/);
  throws(make({ dtype: 'F32', shape: [-1] }), ArgumentError, /shape/);
  throws(make({ dtype: 'F32', shape: [1.5] }), ArgumentError, /shape/);
  throws(make({ dtype: 'F32', shape: [1], blockSize: 0 }), ArgumentError, /blockSize/);
  throws(make({ dtype: 'F32', shape: [1, 1, 1, 1], version: 1 }), UnsupportedError, /4 dimensions/);
  throws(make({ dtype: 'F32', shape: [1], version: 1, name: 'x' }), UnsupportedError, /a name/);
  throws(make({ dtype: 'F64' as 'F32', shape: [1] }), ArgumentError, /dtype/);
});

test('too many or too few bytes: an error, and the sink is aborted', async () => {
  for (const [length, kind] of [
    [9, ArgumentError],
    [7, TruncatedError],
  ] as const) {
    let aborted = 0;
    const sink = {
      ...memorySink(),
      abort: async () => {
        aborted += 1;
      },
    };
    const writer = new HctWriter(sink, { dtype: 'I8', shape: [8] });
    await rejects(
      writer.write(new Uint8Array(length)).then(() => writer.close()),
      kind,
      /expected 8, got/,
    );
    await rejects(writer.write(new Uint8Array(1)), ArgumentError, /closed or has failed/);
    assert.is(aborted, 1);
  }
});

test('an aborted signal stops the writer', async () => {
  const abort = new AbortController();
  const writer = new HctWriter(memorySink(), { dtype: 'I8', shape: [8], signal: abort.signal });
  await writer.write(new Uint8Array(4));
  abort.abort(new Error('enough'));
  await rejects(writer.write(new Uint8Array(4)), Error, /enough/);
});

test.run();
