import { readFileSync } from 'node:fs';
import { lastValueFrom } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { fromReadableStream } from '../../operators/fromReadableStream.js';
import {
  decodeFragments,
  FragmentDecoderStream,
  ReconstructionStream,
  reconstruct,
} from '../../operators/holotensor.js';
import { HctReader } from '../../readers/hctReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { collectTensor } from '../../sinks/tensor.js';
import { bytesSource } from '../../sources/bytes.js';
import { finish, oneStep } from '../../src/async/steps.js';
import type { Limits } from '../../src/checks/limits.js';
import { loadCodec } from '../../src/codecs/loadCodec.js';
import { loadDecodings } from '../../src/encodings/decodings.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { HolostreamError, LimitError, TruncatedError } from '../../src/errors.js';
import { serializeBlockIndexV2, serializeHctHeader } from '../../src/hct/serialize.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import type { HoloTensorHeader } from '../../src/holotensor/header.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import { DEFAULT_QUALITY_CURVES } from '../../src/holotensor/quality.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { xxh3 } from '../../src/kernels/xxh3/checksum.js';
import type { RandomAccessSource } from '../../src/source.js';
import { viewBytes, viewElements } from '../../src/tensor/tensor.js';
import { rejects, throws } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { decodeFromModelFile, modelFileOf } from '../helpers/modelFiles.js';
import { safetensorsOf } from '../helpers/safetensors.js';
import { chunked, collect } from '../helpers/streams.js';

/** What a file costs must be paid for by its bytes: memory and time beside the output, and the output itself. */
const test = suite('work without bytes');

const bomb = new Uint8Array(
  readFileSync(new URL('../fixtures/hostile/bomb-essential-2p22m5.holo', import.meta.url)),
);
await loadDecodings();

interface Claim {
  readonly shape: readonly number[];
  readonly payload: Uint8Array;
  readonly seed?: bigint;
  readonly fragments?: number;
}

/** A HoloTensor file that claims a tensor of this shape, and has one payload that belongs to it. */
function claiming(encoding: HolographicEncoding, { shape, payload, seed = 0n }: Claim): Uint8Array {
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  const header: HoloTensorHeader = {
    encoding,
    compression: 'lz4',
    flags: 3,
    totalFragments: 1,
    originalSize: 4 * elements,
    seed,
    dtype: 'F32',
    shape,
    qualityCurve: DEFAULT_QUALITY_CURVES[encoding],
    norm: undefined,
    quantization: undefined,
  };
  return concatBytes(packHoloTensor(header, [{ index: 0, data: payload }], { kernels }));
}

const kernels = await loadKernels();

function words(...values: (number | Float32Array)[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (typeof value === 'number') view.setUint32(4 * i, value, true);
    else view.setFloat32(4 * i, value[0]!, true);
  });
  return bytes;
}

const ONE = Float32Array.of(1);

/** One essential coefficient of this row of values, at index 1. */
function oneCoefficient(cols: number): Uint8Array {
  return claiming('spectral', { shape: [1, cols], payload: words(1, 0, 1, ONE) });
}

/** Every way to decode a HoloTensor file. */
const ways: Record<string, (file: Uint8Array, limits?: Limits) => Promise<{ data: ArrayLike<unknown> }>> = {
  readAll: async (file, limits) => (await HoloTensorReader.open(bytesSource(file), { limits })).readAll(),
  source: async (file, limits) =>
    (await HoloTensorReader.open(bytesSource(file), { limits })).readAll({ dtype: 'source' }),
  readToQuality: async (file, limits) =>
    (await HoloTensorReader.open(bytesSource(file), { limits })).readToQuality(1),
  readInto: async (file, limits) => {
    const reader = await HoloTensorReader.open(bytesSource(file), { limits });
    const data = new Uint8Array(4);
    await reader.readInto(data, 4);
    return { data };
  },
  streams: async (file, limits) => {
    const fragments = chunked(file, 50).pipeThrough(new FragmentDecoderStream({ limits }));
    return (await collect(fragments.pipeThrough(new ReconstructionStream({ limits })))).at(-1)!;
  },
  operators: (file, limits) =>
    lastValueFrom(
      fromReadableStream(chunked(file, 50)).pipe(decodeFragments({ limits }), reconstruct({ limits })),
    ),
};

test('coefficients that are all zero need no transform', async () => {
  const refusing = {
    ...kernels,
    idct2dSteps: () => {
      throw new Error('transformed');
    },
  };
  const { header, entries } = await HoloTensorReader.open(bytesSource(bomb));
  const decoder = new HoloTensorDecoder(header, { kernels: refusing });
  const payload = bomb.subarray(bomb.length - entries[0]!.compressedSize);
  decoder.addFragment({ index: 0, data: payload });
  const out = new Float32Array(2 ** 22 - 5).fill(1);
  assert.ok(decoder.reconstruct(out).every((value) => value === 0));
  for (const [name, decode] of Object.entries(ways)) {
    const { data } = await decode(bomb);
    assert.is(data[0], 0, name);
  }
  // Random projection, too: a plan for these columns would take seconds.
  const zeros = claiming('random-projection', {
    shape: [1, 1021],
    payload: concatBytes([words(0x31305052, 1021, 1, 0, 1021), new Uint8Array(4 * 1021)]),
  });
  const projected = await HoloTensorReader.open(bytesSource(zeros));
  const { data } = await projected.readAll({ kernels: refusing });
  assert.ok((data as Float32Array).every((value) => value === 0));
});

test('a transform is not begun for bytes that do not pay for it', async () => {
  const file = oneCoefficient(2 ** 22 - 5);
  assert.is(file.length, 136);
  for (const decode of Object.values(ways)) await rejects(decode(file), LimitError, /option limits\.ratio/);
  // A legitimate file of the same kind decodes, and so does any with another limit.
  const small = oneCoefficient(2 ** 12 - 5);
  const first = Math.sqrt(2 / (2 ** 12 - 5)) * Math.cos(Math.PI / (2 * (2 ** 12 - 5)));
  const { data } = await ways.readAll!(small);
  assert.ok(Math.abs((data[0] as number) - first) < 1e-6);
  const larger = oneCoefficient(2 ** 16 - 15);
  assert.is((await ways.readAll!(larger, { ratio: 0 })).data.length, 2 ** 16 - 15);
});

/** Files of a few hundred bytes that claim a gigabyte, or work on one, by every encoding and layout. */
const claims: Record<string, Uint8Array> = {
  'spectral, raster': claiming('spectral', {
    shape: [2 ** 14, 2 ** 14],
    payload: words(0x33305653, 2 ** 28, 1, 0, 2 ** 28),
  }),
  'spectral, essential': claiming('spectral', { shape: [2 ** 14, 2 ** 14], payload: words(1, 0, 1, ONE) }),
  'spectral, all zero': claiming('spectral', { shape: [2 ** 14, 2 ** 14], payload: words(0, 0) }),
  'random projection': claiming('random-projection', {
    shape: [2 ** 14, 2 ** 14],
    payload: words(0x31305052, 2 ** 28, 1, 0, 2 ** 28),
  }),
  'Gaussian projection, many columns': claiming('random-projection', {
    shape: [2 ** 28],
    payload: words(1, 0, 0, ONE),
  }),
  'Gaussian projection, 16 MiB and 140 rows': claiming('random-projection', {
    shape: [2 ** 22],
    payload: words(140, 0, 0, ...Array<Float32Array>(140).fill(ONE)),
  }),
  'low rank': claiming('low-rank', { shape: [2 ** 14, 2 ** 14], payload: words(2 ** 14, 2 ** 14, 0) }),
  embedded: claiming('embedded', {
    shape: [2 ** 28],
    // Version, elements, first unit, units, cosine, relative error; tiles of 512 and no planes.
    payload: Uint8Array.of(1, 0x80, 0x80, 0x80, 0x80, 1, 0, 0, ...Array(8).fill(0), 9, 0, 1, 0, 0, 0),
  }),
};

for (const [name, file] of Object.entries(claims)) {
  test(`${name}: a file of ${file.length} bytes is refused, whichever way it is decoded`, async () => {
    for (const decode of Object.values(ways)) await rejects(decode(file), HolostreamError);
    await rejects(ways.readAll!(file), LimitError, /option limits\.ratio/);
  });
}

test('what a Gaussian projection may cost grows with its bytes, fragment by fragment', () => {
  const shape = [2 ** 20];
  const header = (fragments: number): HoloTensorHeader => ({
    encoding: 'random-projection',
    compression: 'lz4',
    flags: 0,
    totalFragments: fragments,
    originalSize: 2 ** 22,
    seed: 0n,
    dtype: 'F32',
    shape,
    qualityCurve: DEFAULT_QUALITY_CURVES['random-projection'],
    norm: undefined,
    quantization: undefined,
  });
  let rows = 0;
  const counting = {
    ...kernels,
    gaussianRowsSteps: (_seed: bigint, _data: unknown, { length }: Float64Array) =>
      oneStep(() => {
        rows += length;
      }),
  };
  const decoder = new HoloTensorDecoder(header(65_535), { kernels: counting, limits: { ratio: 0 } });
  const step = 0x9e3779b97f4a7c15n;
  const payloads = Array.from({ length: 20 }, (_, index) => {
    const payload = words(8, 0, 0, ...Array<Float32Array>(8).fill(ONE));
    new DataView(payload.buffer).setBigUint64(4, BigInt.asUintN(64, BigInt(index) * step), true);
    return payload;
  });
  throws(() => {
    for (const [index, data] of payloads.entries()) decoder.addFragment({ index, data });
    finish(decoder.settling());
  }, LimitError);
  assert.ok(rows > 0 && rows <= 64, `${rows} rows of a million normals`);
});

test('an embedded fragment of more units than its tensor can have is refused before they are read', async () => {
  // A tensor of 512 elements, one tile: one unit; the fragment says sixty thousand, each a bit for its length 0.
  const units = 60_000;
  const start = [6, 0xe0, 0xd4, 3, 0, 0, 0x80, 4, 0, 1, 127, 0, 0, 0, 0, 0, 0];
  const payload = concatBytes([Uint8Array.from(start), new Uint8Array(units)]);
  await rejects(
    ways.readAll!(claiming('embedded', { shape: [512], payload })),
    HolostreamError,
    /units do not continue/,
  );
});

test('fragments that unpack to far more than they store are refused before', async () => {
  // Frames of Zstandard: runs of 128 KiB take four bytes each.
  const blocks = 1024;
  const frame = new Uint8Array(9 + 4 * blocks);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  view.setUint8(4, 0xa0);
  view.setUint32(5, blocks * 2 ** 17, true);
  for (let i = 0; i < blocks; i++) {
    const last = i === blocks - 1 ? 1 : 0;
    const header = last | (1 << 1) | ((2 ** 17) << 3);
    view.setUint16(9 + 4 * i, header & 0xffff, true);
    view.setUint8(11 + 4 * i, header >> 16);
  }
  const bytes = blocks * 2 ** 17;
  const header = {
    version: 2,
    algorithm: 'zstd',
    dtype: 'I8',
    flags: 3,
    originalSize: bytes,
    compressedSize: frame.length,
    blockSize: bytes,
    blockCount: 1,
    shape: [bytes],
  } as const;
  const file = concatBytes([
    serializeHctHeader(header),
    serializeBlockIndexV2({ offset: 0, compressedSize: frame.length, checksum: xxh3(frame) }),
    frame,
  ]);
  assert.ok(file.length < 5000);
  await rejects(collectTensor(chunked(file, 512)), LimitError, /option limits\.ratio/);
  await rejects(HctReader.open(bytesSource(file)), LimitError, /option limits\.ratio/);
  const open = await HctReader.open(bytesSource(file), { limits: { ratio: 2 ** 15 } });
  assert.is((await open.readBlock(0)).length, bytes);
  // A second block that the index makes large pays for nothing before it has come.
  const twice = concatBytes([
    serializeHctHeader({
      ...header,
      originalSize: 2 * bytes,
      compressedSize: frame.length + 2 ** 20,
      blockCount: 2,
      shape: [2 * bytes],
    }),
    serializeBlockIndexV2({ offset: 0, compressedSize: frame.length, checksum: xxh3(frame) }),
    serializeBlockIndexV2({ offset: frame.length, compressedSize: 2 ** 20, checksum: 1n }),
    frame,
    new Uint8Array(2 ** 20),
  ]);
  await rejects(collectTensor(chunked(twice, 512)), LimitError, /option limits\.ratio/);
  await rejects((await HctReader.open(bytesSource(twice))).readBlock(0), LimitError, /option limits\.ratio/);
});

/** Bytes of buffers that a promise's work has made, whether garbage by now or not. */
async function allocatedBy(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().arrayBuffers;
  await work();
  return process.memoryUsage().arrayBuffers - before;
}

/** A source that says that it is larger than it is, as a server can. */
function lying(bytes: Uint8Array, size: number): RandomAccessSource {
  const honest = bytesSource(bytes);
  return {
    size,
    read: (offset, length, options) => honest.read(offset, length, options),
    stream: (options) => honest.stream(options),
  };
}

test('nothing is reserved for what a source only says that it has', async () => {
  const claimed = 2 ** 31;
  const header = {
    version: 2,
    algorithm: 'lz4',
    dtype: 'I8',
    flags: 3,
    originalSize: claimed,
    compressedSize: claimed / 4,
    blockSize: claimed,
    blockCount: 1,
    shape: [claimed],
  } as const;
  const entry = serializeBlockIndexV2({ offset: 0, compressedSize: claimed / 4, checksum: 1n });
  const start = concatBytes([serializeHctHeader(header), entry, new Uint8Array(200)]);
  const hct = await allocatedBy(async () => {
    await rejects(HctReader.open(lying(start, 80 + claimed / 4)), TruncatedError);
    const longer = concatBytes([start, new Uint8Array(2 ** 16)]);
    const reader = await HctReader.open(lying(longer, 80 + claimed / 4));
    await rejects(reader.readAll(), TruncatedError);
    await rejects(collectTensor(chunked(start, 100)), TruncatedError);
  });
  assert.ok(hct < 2 ** 28, `${hct} bytes for an HCT file`);
  const length = 2 ** 31;
  const front = safetensorsOf({ w: { dtype: 'U8', shape: [length], data_offsets: [0, length] } });
  const safetensors = concatBytes([front, new Uint8Array(2 ** 16)]);
  const plain = await allocatedBy(async () => {
    const model = await openModel(lying(safetensors, front.length + length));
    await rejects(model.load(), TruncatedError);
    await model.close();
  });
  assert.ok(plain < 2 ** 28, `${plain} bytes for a safetensors file`);
});

test('a tensor that its blocks pay for one after another is whole at the end', async () => {
  const blockSize = 2 ** 23;
  const blocks = 10;
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'I8', shape: [blocks * blockSize], blockSize });
  for (let i = 0; i < blocks; i++) await writer.write(new Uint8Array(blockSize).fill(i + 1));
  await writer.close();
  // The index pays for 64 MiB, and each block, of 33 kB, for ten.
  const limits = { ratio: 300 };
  const [streamed, read] = [
    await collectTensor(chunked(sink.bytes, 2 ** 16), { limits }),
    await (await HctReader.open(bytesSource(sink.bytes), { limits })).readAll(),
  ];
  for (const { data } of [streamed, read]) {
    assert.is(data.length, blocks * blockSize);
    for (let i = 0; i < blocks; i++) {
      const [first, last] = [data[i * blockSize], data[(i + 1) * blockSize - 1]];
      assert.equal([first, last], [i + 1, i + 1], `block ${i}`);
    }
  }
});

test('the tensors of a model are paid for together', async () => {
  // Each of them is free, as a tensor of zeros that is small enough.
  const elements = 9 * 2 ** 20;
  const names = ['a', 'b'];
  const tensors = names.map((name, i) => [
    name,
    { dtype: 'BF16', shape: [elements], data_offsets: [2 * i * elements, 2 * (i + 1) * elements] },
  ]);
  const plain = concatBytes([safetensorsOf(Object.fromEntries(tensors)), new Uint8Array(4 * elements)]);
  const model = await modelFileOf(plain);
  assert.ok(model.length < 100_000, `${model.length}`);
  for (const name of names) {
    const opened = await openModel(bytesSource(model));
    await opened.load({ tensors: [name], as: 'source' });
    await opened.close();
  }
  const opened = await openModel(bytesSource(model));
  await rejects(opened.load({ as: 'source' }), LimitError, /option limits\.ratio/);
  assert.is((await opened.load({ as: 'source', limits: { ratio: 2 ** 15 } })).size, 2);
  await opened.close();
});

test('memory that the engine does not have is a LimitError, whatever the limits', async () => {
  const limits = { tensorBytes: Infinity, totalBytes: Infinity, ratio: Infinity };
  for (const payload of [words(0, 0), words(0x33305653, 0, 1, 0, 0)]) {
    const file = claiming('spectral', { shape: [2 ** 25, 2 ** 25], payload });
    for (const decode of Object.values(ways)) await rejects(decode(file, limits), HolostreamError);
  }
  const file = claiming('spectral', { shape: [2 ** 25, 2 ** 25], payload: words(0, 0) });
  await rejects(ways.readAll!(file, limits), LimitError, /the engine has no more/);
  const lowRank = claiming('low-rank', { shape: [2 ** 25, 2 ** 25], payload: words(2 ** 25, 2 ** 25, 0) });
  await rejects(ways.readAll!(lowRank, limits), LimitError, /the engine has no more/);
  const front = safetensorsOf({ w: { dtype: 'U8', shape: [2 ** 46], data_offsets: [0, 2 ** 46] } });
  const endless = concatBytes([front, new Uint8Array(2 ** 16)]);
  const model = await openModel(lying(endless, front.length + 2 ** 46));
  await rejects(model.load({ limits }), LimitError, /the engine has no more/);
  await model.close();
});

test('what is given out as elements is paid for as elements: 16 million zeros of a byte', async () => {
  const [kernels, codec] = await Promise.all([loadKernels(), loadCodec('zstd')]);
  for (const dtype of ['F8_E4M3', 'F8_E5M2', 'BF16'] as const) {
    const shape = [4112, 4112];
    const zeros = new Uint8Array(4112 * 4112 * (dtype === 'BF16' ? 2 : 1));
    const { header, fragments } = new HoloTensorEncoder('embedded', { kernels }).encodeTensor({
      dtype,
      shape,
      data: viewElements(dtype, zeros),
    });
    const file = concatBytes(packHoloTensor(header, fragments, { kernels, codec }));
    assert.ok(file.length < 1000);
    const reader = await HoloTensorReader.open(bytesSource(file));
    const { data, complete } = await reader.readAll({ dtype: 'source' });
    assert.ok(complete);
    assert.ok(viewBytes(data).every((byte) => byte === 0));
    // As numbers, they are more than is free.
    await rejects(reader.readAll(), LimitError, /limits\.ratio/);
    // The same of a model file, of which each part is a task.
    const w = { dtype, shape, data_offsets: [0, zeros.length] };
    const plain = concatBytes([safetensorsOf({ w }), zeros]);
    const { files } = await decodeFromModelFile(await modelFileOf(plain));
    assert.ok(Buffer.from(plain).equals(files['model.safetensors']!));
  }
});

test('the tensors of a model are counted with the arrays that they are converted to', async () => {
  const data = Object.fromEntries(
    ['a', 'b'].map((name, i) => [
      name,
      { dtype: 'BF16', shape: [100], data_offsets: [200 * i, 200 * (i + 1)] },
    ]),
  );
  const file = concatBytes([safetensorsOf(data), new Uint8Array(400)]);
  const load = async (totalBytes: number, as: 'F32' | 'source') => {
    const model = await openModel(bytesSource(file), { limits: { totalBytes } });
    // One after the other: what has been loaded counts.
    await model.load({ as, tensors: ['a'] });
    return model.load({ as, tensors: ['b'] });
  };
  await load(400, 'source');
  await rejects(load(399, 'source'), LimitError, /option limits\.totalBytes/);
  await load(1200, 'F32');
  await rejects(load(1199, 'F32'), LimitError, /option limits\.totalBytes/);
});

test.run();
