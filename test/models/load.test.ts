import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../models/directory/encodeModel.js';
import { type ModelFileTensor, readModelFile } from '../../models/file/modelFile.js';
import { openModel } from '../../models/openModel.js';
import type { LoadedTensor, OutputTensor } from '../../models/output.js';
import type { ModelProgress } from '../../models/progress.js';
import { type MemorySink, memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { ArgumentError, ChecksumError, FormatError, LimitError, UnsupportedError } from '../../src/errors.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { elementCount } from '../../src/tensor/dtype.js';
import { float32ToBfloat16, float32ToHalf } from '../../src/tensor/float.js';
import { viewBytes, viewElements } from '../../src/tensor/tensor.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects, throws } from '../helpers/assertions.js';
import { checkLoadToQuality } from '../helpers/checks/loadToQuality.js';
import { countingSource } from '../helpers/countingSource.js';
import { cosineSimilarity } from '../helpers/encodings.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { noise, pseudoRandomBytes } from '../helpers/random.js';
import { withSteppedClock } from '../helpers/steppedClock.js';
import { collect, tick, until } from '../helpers/streams.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('loading models');

const original = TRAINED_FILES.layers;
const { tensors } = parseSafetensorsHeader(original);
const LARGEST = 'lstm.0.weight';
let file: Uint8Array;

test.before(async () => {
  file = await modelFileOf(original);
});

function sourceBytes(name: string): Uint8Array {
  const { offset, byteLength } = tensors.find((tensor) => tensor.name === name)!;
  return original.slice(offset, offset + byteLength);
}

function sourceTensor(name: string): Float32Array {
  return viewElements('F32', sourceBytes(name)) as Float32Array;
}

test('everything, in one sequential request, bit for bit', async () => {
  const source = countingSource(file);
  const model = await openModel(source);
  assert.is(model.format, 'model-file');
  const loaded = await model.load();
  assert.equal(source.ranges, [
    [0, 65536],
    [65536, file.length],
  ]);
  assert.equal(
    [...loaded.keys()],
    tensors.map(({ name }) => name),
  );
  for (const { name, dtype, shape } of tensors) {
    const tensor = loaded.get(name)!;
    assert.ok(Buffer.from(viewBytes(tensor.data as Float32Array)).equals(sourceBytes(name)), name);
    assert.equal([tensor.dtype, tensor.shape, tensor.cosine, tensor.complete], [dtype, shape, 1, true]);
  }
  assert.is(model.quality, 1);
  // It is all there: nothing is fetched again.
  await model.load();
  await model.tensor(LARGEST);
  assert.is(source.ranges.length, 2);
  await model.close();
});

test('progress does not pass its end, though pieces are fetched again when a tensor is asked for meanwhile', async () => {
  for (const { name } of tensors) {
    const model = await openModel(bytesSource(file));
    let asked: Promise<unknown> | undefined;
    let last: ModelProgress | undefined;
    await model.load({
      onProgress: (progress) => {
        last = progress;
        asked ??= model.tensor(name);
        assert.ok(progress.bytes <= progress.totalBytes, `${progress.bytes} of ${progress.totalBytes}`);
      },
    });
    await asked;
    assert.is(last!.bytes, last!.totalBytes);
    await model.close();
  }
});

test('up to a quality: of the whole by a prefix, of each tensor by ranges; what is reported is true', () =>
  checkLoadToQuality(original));

test('a low quality of the whole has something of every tensor', async () => {
  // The convolutions weigh most, so that alone they have a quality.
  const shapes = { conv0: [64, 64, 3, 3], conv1: [64, 64, 3, 3], matrix: [400, 500], vector: [300] };
  const network = modelOf(
    Object.entries(shapes).map(([name, shape]) => ({ name, dtype: 'F32', shape })),
    undefined,
    ({ shape }, _, i) => viewBytes(noise(elementCount(shape), i + 1)),
  );
  const bytes = await modelFileOf(network);
  for (const strategy of ['scan', 'quality', 'tensors'] as const) {
    for (const quality of [0, 0.3, 0.6]) {
      const model = await openModel(bytes);
      const loaded = await model.load({ quality, strategy });
      assert.equal([...loaded.keys()].sort(), Object.keys(shapes).sort(), `${strategy}, ${quality}`);
      assert.ok(model.quality >= quality);
      assert.is(model.plannedBytes({ quality, strategy }), 0);
      await model.close();
    }
  }
});

test('chosen tensors only, and prioritized ones first', async () => {
  const source = countingSource(file);
  const model = await openModel(source);
  const loaded = await model.load({ tensors: [LARGEST] });
  assert.equal([...loaded.keys()], [LARGEST]);
  assert.is(model.plannedBytes({ tensors: [LARGEST] }), 0);
  await rejects(model.load({ tensors: ['nothing'] }), ArgumentError, /no tensor of this name.*nothing/);
  await rejects(model.load({ quality: 2 }), ArgumentError, /quality/);

  const other = await openModel(countingSource(file));
  const order: string[] = [];
  other.updates$.subscribe(({ name, complete }) => complete && order.push(name));
  await other.load({ priority: ['embedding.weight'] });
  assert.is(
    order.find((name) => other.tensors.find((one) => one.name === name)!.byteLength > 16384),
    'embedding.weight',
  );
});

test('priority may change while loading', async () => {
  const model = await openModel(countingSource(file));
  const complete: string[] = [];
  let switched = false;
  const done = model.load({
    onProgress: ({ qualities }) => {
      if (!switched && model.quality > 0.5) {
        switched = true;
        model.prioritize([LARGEST]);
      }
      for (const [name, quality] of qualities)
        if (quality === 1 && !complete.includes(name)) complete.push(name);
    },
  });
  await done;
  const large = complete.filter((name) => model.tensors.find((one) => one.name === name)!.byteLength > 16384);
  assert.is(large[0], LARGEST);
  assert.is(model.quality, 1);
});

test('progress rises to the end; updates are tensors that get better', async () => {
  const model = await openModel(countingSource(file));
  const progress: ModelProgress[] = [];
  const cosines = new Map<string, number[]>();
  model.progress$.subscribe((one) => progress.push(one));
  model.updates$.subscribe(({ name, cosine: now }) => cosines.set(name, [...(cosines.get(name) ?? []), now]));
  const streamed = collect(model.progressStream());
  await model.load();
  await model.close();
  const last = progress.at(-1)!;
  assert.equal([last.bytes, last.quality, last.ready], [last.totalBytes, 1, model.tensors.length]);
  assert.ok(last.bytesPerSecond! > 0 && last.remainingMs === 0);
  progress.forEach((one, i) => {
    if (i === 0) return;
    assert.ok(one.bytes >= progress[i - 1]!.bytes && one.quality >= progress[i - 1]!.quality - 1e-12);
  });
  assert.is(cosines.size, model.tensors.length);
  for (const [name, steps] of cosines) {
    assert.is(steps.at(-1), 1, name);
    assert.equal(
      steps,
      steps.toSorted((a, b) => a - b),
      name,
    );
  }
  assert.equal((await streamed).at(-1), last);
});

test('arrays: of the load’s own, and in the type that is asked for', async () => {
  const model = await openModel(countingSource(file));
  const first = (await model.load({ quality: 0.99 })).get(LARGEST)!;
  const before = first.data.slice();
  const second = (await model.load({ quality: 0.999 })).get(LARGEST)!;
  assert.is.not(second.data, first.data);
  const whole = (await model.load()).get(LARGEST)!;
  const exact = sourceTensor(LARGEST);
  assert.equal(whole.data, exact);
  assert.equal([first.data, first.complete], [before, false], 'what was given out does not change');
  const bfloat16 = (await model.load({ as: 'BF16' })).get(LARGEST)!;
  assert.equal([bfloat16.dtype, bfloat16.data], ['BF16', float32ToBfloat16(exact)]);
  const half = (await model.load({ as: 'F16' })).get(LARGEST)! as LoadedTensor<'F16'> & { data: Uint16Array };
  assert.is(half.dtype, 'F16');
  assert.equal(
    new Uint16Array(half.data.buffer, half.data.byteOffset, half.data.length),
    float32ToHalf(exact),
  );
});

test('out: the memory of the caller, which better numbers overwrite', async () => {
  const model = await openModel(countingSource(file));
  const flat = new SharedArrayBuffer(2 * original.length);
  const places = new Map<string, Float32Array | Uint8Array>();
  let at = 0;
  const asked: string[] = [];
  const out = ({ name, dtype, shape }: OutputTensor) => {
    asked.push(name);
    if (dtype === 'I64') return undefined;
    const length = shape.reduce((product, size) => product * size, 1);
    const place = places.get(name) ?? new Float32Array(flat, at, length);
    if (!places.has(name)) at += 4 * length;
    places.set(name, place);
    return place;
  };
  const first = await model.load({ quality: 0.99, out });
  assert.is(first.get(LARGEST)!.data, places.get(LARGEST));
  const rough = first.get(LARGEST)!.data.slice();
  const alone = await model.tensor(LARGEST, { quality: 0.99 });
  const { cosine } = alone;
  assert.ok(first.get(LARGEST)!.cosine < 1 && !first.get(LARGEST)!.complete);
  const exact = await model.load({ out: (tensor) => out(tensor)?.subarray() });
  // What was given out before is live, because its memory is that of the better numbers.
  assert.is(first.get(LARGEST)!.cosine, 1);
  assert.ok(first.get(LARGEST)!.complete);
  assert.is(alone.cosine, cosine);
  for (const { name, dtype } of tensors) {
    if (dtype !== 'F32') continue;
    assert.is(exact.get(name)!.data.buffer as unknown, flat);
    assert.equal(new Float32Array(exact.get(name)!.data), sourceTensor(name), name);
  }
  assert.not.equal(rough, sourceTensor(LARGEST));
  assert.instance(exact.get('norm.num_batches_tracked')!.data, BigInt64Array);
  assert.is(asked.length, 2 * tensors.length);
  const bytes = new Uint8Array(2 * sourceTensor(LARGEST).length);
  const patterns = await model.load({ tensors: [LARGEST], as: 'BF16', out: () => bytes });
  assert.is(patterns.get(LARGEST)!.data as unknown, bytes);
  assert.equal(bytes, viewBytes(float32ToBfloat16(sourceTensor(LARGEST))));
  const short = model.load({ tensors: [LARGEST], out: () => new Float32Array(3) });
  await rejects(short, ArgumentError, /option out.*: expected \d+ bytes, got 12/);
  await rejects(model.load({ out: (() => [1]) as never }), ArgumentError, /out/);
});

test('layout: matrices transposed, and nothing else', async () => {
  const model = await openModel(countingSource(file));
  for (const quality of [0.9, 1]) {
    const plain = await model.load({ quality });
    const turned = await model.load({ quality, layout: 'transposed' });
    for (const [name, { shape, data }] of plain) {
      const other = turned.get(name)!;
      if (shape.length !== 2) {
        assert.equal(other, plain.get(name));
        continue;
      }
      const [rows, columns] = shape as [number, number];
      assert.equal(other.shape, [columns, rows]);
      const expected = data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
      assert.equal(other.data, expected, name);
    }
  }
  const [rows, columns] = tensors.find(({ name }) => name === LARGEST)!.shape as [number, number];
  const memory = new Float32Array(rows * columns);
  const out = ({ shape }: OutputTensor) => {
    assert.equal(shape, [columns, rows]);
    return memory;
  };
  const placed = await model.load({ tensors: [LARGEST], layout: 'transposed', out });
  assert.is(placed.get(LARGEST)!.data, memory);
  assert.is(memory[1], sourceTensor(LARGEST)[columns]);
});

test('layout: elements of every size, F64 and NaNs among them, as bits', async () => {
  const [rows, columns] = [70, 3];
  for (const [dtype, size] of [
    ['F32', 4],
    ['F64', 8],
    ['I64', 8],
    ['BF16', 2],
    ['F8_E8M0', 1],
  ] as const) {
    const bytes = pseudoRandomBytes(rows * columns * size);
    // A signalling NaN, in F32 and in F64.
    bytes.set([1, 0, 0xb0, 0x7f, 1, 0, 0xf0, 0x7f]);
    const matrix = modelOf([{ name: 'm', dtype, shape: [rows, columns] }], undefined, () => bytes);
    await using model = await openModel(matrix);
    const { shape, data } = (await model.load({ as: 'source', layout: 'transposed' })).get('m')!;
    assert.equal(shape, [columns, rows]);
    const turned = Buffer.from(viewBytes(data));
    for (let i = 0; i < rows * columns; i++) {
      const from = ((i % rows) * columns + Math.floor(i / rows)) * size;
      const found = turned.subarray(i * size, (i + 1) * size);
      assert.ok(found.equals(bytes.subarray(from, from + size)), `${dtype} ${i}`);
    }
  }
});

test('with workers: the same tensors, to a quality and then whole; their errors are the load’s', async () => {
  const pool = new WorkerPool(2, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
  try {
    const plain = await openModel(countingSource(file));
    const model = await openModel(countingSource(file));
    for (const quality of [0.99, 1]) {
      const expected = await plain.load({ quality });
      const loaded = await model.load({ quality, workers: pool });
      assert.equal([...loaded.keys()], [...expected.keys()]);
      for (const [name, { data, cosine: reached, complete }] of loaded) {
        assert.equal([reached, complete], [expected.get(name)!.cosine, expected.get(name)!.complete], name);
        assert.equal(data, expected.get(name)!.data, name);
      }
      assert.ok(Math.abs(model.quality - plain.quality) < 1e-12);
    }
    const broken = file.slice();
    broken[broken.length - 5]! ^= 4;
    await rejects(
      (await openModel(countingSource(broken))).load({ workers: pool }),
      ChecksumError,
      /fragment/,
    );
  } finally {
    pool.close();
  }
});

test('a damaged tensor of a directory ends the load, with workers, too, which decode when all has been fetched', async () => {
  const sinks = new Map<string, MemorySink>();
  const openFile = async (name: string) => {
    const sink = memorySink();
    sinks.set(name, sink);
    return sink;
  };
  const { tensors } = await encodeModel(bytesSource(original), openFile);
  const { file } = tensors.at(-1)!;
  const damaged = sinks.get(file)!.bytes;
  damaged[damaged.length - 5]! ^= 4;
  const pool = new WorkerPool(1);
  for (const workers of [0, pool]) {
    const model = await openModel((name) => (name === file ? damaged : sinks.get(name)?.bytes));
    await rejects(model.load({ workers }), FormatError);
    await rejects(model.load({ workers, tensors: [tensors.at(-1)!.name] }), FormatError);
    await model.close();
  }
  pool.close();
});

test('pause and resume', async () => {
  const source = countingSource(file);
  const model = await openModel(source);
  let bytes = 0;
  const loading = model.load({
    onProgress: (progress) => {
      if (bytes === 0) model.pause();
      bytes = progress.bytes;
    },
  });
  await until(() => bytes > 0);
  // What has come when it is paused is decoded yet.
  for (let before = 0; before !== bytes; await tick(30)) before = bytes;
  assert.ok(bytes < file.length / 2, `${bytes} of ${file.length}`);
  model.resume();
  await loading;
  assert.is(model.quality, 1);
});

test('abort: the source is cancelled, what came stays, and the next load goes on', async () => {
  const source = countingSource(file);
  const model = await openModel(source);
  const abort = new AbortController();
  // More than came when the model was opened.
  const onProgress = ({ bytes }: ModelProgress) => bytes > 100_000 && abort.abort(new Error('enough'));
  await rejects(model.load({ signal: abort.signal, onProgress }), Error, /enough/);
  assert.is(source.cancelled, 1);
  const reached = model.quality;
  assert.ok(reached > 0.9 && reached < 1);
  const rest = model.plannedBytes();
  await model.load();
  // What came when the model was opened is not read again.
  assert.equal(source.ranges.at(-1), [Math.max(65536, file.length - rest), file.length]);
  await rejects(model.load({ signal: abort.signal }), Error, /enough/);
});

test('a deadline brings what the throughput allows, and no error', async () => {
  const slow = countingSource(file);
  const { stream } = slow;
  let advance = (_ms: number): void => {};
  slow.stream = (options) => {
    const reader = stream(options).getReader();
    return new ReadableStream({
      async pull(controller) {
        advance(60);
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    });
  };
  const model = await openModel(slow);
  const loaded = await withSteppedClock((step) => {
    advance = step;
    return model.load({ deadline: 400 });
  });
  assert.ok(loaded.size > 0 && [...loaded.values()].some(({ complete }) => !complete));
  const { tensors: weighed } = await readModelFile(bytesSource(file));
  const sum = (of: (tensor: ModelFileTensor) => number) => weighed.reduce((all, one) => all + of(one), 0);
  const mean =
    sum(({ name, weight }) => weight * (loaded.get(name)?.cosine ?? 0)) / sum(({ weight }) => weight);
  assert.ok(Math.abs(model.quality - mean) < 1e-6, `${model.quality} for ${mean}`);
  for (const { name, dtype, data, cosine } of loaded.values()) {
    if (dtype !== 'F32') continue;
    const truth = cosineSimilarity(data as Float32Array, sourceTensor(name));
    assert.ok(Math.abs(cosine - truth) < 1e-4, `${name}: ${cosine} for ${truth}`);
  }
  assert.is(slow.cancelled, 1);
});

test('rows, from wherever they can be had', async () => {
  const plain = await openModel(countingSource(original));
  assert.is(plain.format, 'safetensors');
  const exact = sourceTensor(LARGEST).subarray(10 * 512, 13 * 512);
  assert.equal((await plain.rows(LARGEST, 10, 13)).data, exact);
  const model = await openModel(countingSource(file));
  await rejects(model.rows(LARGEST, 10, 13), UnsupportedError, /load the tensor first/);
  await model.tensor(LARGEST);
  assert.equal((await model.rows(LARGEST, 10, 13)).data, exact);
  await rejects(model.rows(LARGEST, 10, 1000), ArgumentError, /^Cannot read these rows of the tensor/);
});

test('damaged pieces, tensors beyond the cap, names that are not there', async () => {
  const broken = file.slice();
  broken[broken.length - 5]! ^= 4;
  const source = countingSource(broken);
  const model = await openModel(source);
  await rejects(model.load(), ChecksumError, /fragment/);
  assert.is(source.cancelled, 1);
  await rejects(
    (await openModel(countingSource(file))).load({ limits: { tensorBytes: 1000 } }),
    LimitError,
    /tensorBytes/,
  );
  await rejects(model.tensor('nothing'), ArgumentError, /no tensor/);
  throws(() => model.prioritize(['nothing']), ArgumentError, /no tensor/);
});

test('tensor() during a load moves that tensor to the front', async () => {
  const source = countingSource(file);
  const model = await openModel(source);
  const loading = model.load();
  const tensor = await model.tensor(LARGEST);
  assert.ok(tensor.complete);
  await loading;
  const fetched = source.ranges.length;
  assert.ok(fetched <= 4, `${fetched} requests`);
});

test.run();
