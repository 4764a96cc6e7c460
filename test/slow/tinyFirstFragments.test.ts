import { lastValueFrom, take } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeModelFile } from '../../models/file/decodeModelFile.js';
import { openModel } from '../../models/openModel.js';
import { fromReadableStream } from '../../operators/fromReadableStream.js';
import {
  decodeFragments,
  FragmentDecoderStream,
  ReconstructionStream,
  reconstruct,
} from '../../operators/holotensor.js';
import type { ReconstructionStreamOptions } from '../../operators/reconstructStage.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { loadDecodings } from '../../src/encodings/decodings.js';
import { LimitError } from '../../src/errors.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import type { Reconstruction } from '../../src/holotensor/reconstruction.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { type Tensor, viewBytes } from '../../src/tensor/tensor.js';
import { WorkerPool } from '../../workers/pool.js';
import { rejects, throws } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked, collect } from '../helpers/streams.js';

/**
 * A tensor of more than the 64 MiB, as numbers, that are free. One row has almost all of its energy: the first fragment has
 * a few bytes, which pay for little.
 */
const test = suite('tiny first fragments');

const pool = new WorkerPool(1, { url: new URL('../helpers/workerFromSource.mjs', import.meta.url) });
test.after(() => pool.close());

const shape = [300, 80_000] as const;
const values = new Uint16Array(pseudoRandomBytes(2 * shape[0] * shape[1]).buffer).map(
  (bits, i) => (i < shape[1] ? 0x4a00 : 0x3c00) + (bits & 0x80ff),
);
const tensor: Tensor<'BF16'> = { dtype: 'BF16', shape, data: values };
const original = viewBytes(values);
const isOriginal = ({ data }: { data: unknown }) =>
  Buffer.from(viewBytes(data as Uint16Array)).equals(original);

const kernels = await loadKernels();
await loadDecodings();
const { header, fragments } = new HoloTensorEncoder('embedded', { kernels }).encodeTensor(tensor);
const file = concatBytes(packHoloTensor(header, fragments, { kernels }));
const model = await modelFileOf(modelOf([{ name: 'w', dtype: 'BF16', shape }], undefined, () => original));

test('the first fragment pays for little', () => {
  assert.ok(fragments[0]!.data.length < 20_000, `${fragments[0]!.data.length}`);
});

test('a decoder keeps a fragment until others have paid for it, and says so at the end', () => {
  const decoder = new HoloTensorDecoder(header);
  assert.ok(decoder.addFragment(fragments[0]!));
  assert.not(decoder.addFragment(fragments[0]!), 'it waits already');
  assert.equal([decoder.fragments, decoder.waits, decoder.quality.cosine], [0, true, 0]);
  throws(() => decoder.reconstruct(), LimitError, /option limits\.ratio/);
  for (const fragment of fragments.slice(1)) assert.ok(decoder.addFragment(fragment));
  assert.equal([decoder.fragments, decoder.waits, decoder.complete], [fragments.length, false, true]);
  assert.not(decoder.addFragment(fragments[0]!), 'it has been added');
  assert.ok(isOriginal(decoder.reconstructTensor()));

  const refusing = new HoloTensorDecoder(header, { limits: { ratio: 0 } });
  for (const fragment of fragments) refusing.addFragment(fragment);
  throws(() => refusing.reconstructTensor(), LimitError, /option limits\.ratio/);
});

test('the bytes of one fragment pay once, however often it is added', () => {
  const decoder = new HoloTensorDecoder(header);
  for (let i = 0; i < 1000; i++) decoder.addFragment(fragments[0]!);
  throws(() => decoder.reconstruct(), LimitError, /option limits\.ratio/);
});

test('a damaged fragment that waits is named when it is decoded', () => {
  const decoder = new HoloTensorDecoder(header);
  decoder.addFragment({ index: 0, data: fragments[0]!.data.subarray(0, -1) });
  const add = () => fragments.slice(1).forEach((fragment) => void decoder.addFragment(fragment));
  const error = throws(add, Error);
  assert.is((error as { fragmentIndex?: number }).fragmentIndex, 0);
});

async function decoded(workers: number | WorkerPool): Promise<Pick<Reconstruction, 'data'>> {
  const sink = memorySink();
  await decodeModelFile(bytesSource(model), async () => sink, { workers });
  return { data: sink.bytes.slice(-original.length) };
}

const ways: Record<string, () => Promise<Pick<Reconstruction, 'data'>>> = {
  readAll: async () => (await HoloTensorReader.open(bytesSource(file))).readAll({ dtype: 'source' }),
  'readAll, in a worker': async () =>
    (await HoloTensorReader.open(bytesSource(file), { workers: pool })).readAll({ dtype: 'source' }),
  readToQuality: async () =>
    (await HoloTensorReader.open(bytesSource(file))).readToQuality(1, { dtype: 'source' }),
  readFragments: async () =>
    (await HoloTensorReader.open(bytesSource(file))).readFragments(fragments.keys(), { dtype: 'source' }),
  readInto: async () => {
    const data = new Uint8Array(original.length);
    await (await HoloTensorReader.open(bytesSource(file))).readInto(data);
    return { data };
  },
  'a model': async () => {
    await using opened = await openModel(model);
    return (await opened.load({ as: 'source' })).get('w')!;
  },
  'a model, in a worker': async () => {
    await using opened = await openModel(model);
    return (await opened.load({ as: 'source', workers: pool })).get('w')!;
  },
  'a model, from one load to the next': async () => {
    await using opened = await openModel(model);
    await opened.load({ quality: 0.9999 });
    return (await opened.load({ as: 'source' })).get('w')!;
  },
  'a model file, decoded': () => decoded(0),
  'a model file, decoded in a worker': () => decoded(pool),
  snapshots: async () => {
    await using opened = await openModel(model);
    const load = opened.load({ as: 'source' });
    for await (const { tensors, complete } of opened.snapshots({ as: 'source' })) {
      if (complete) return tensors.get('w')!;
    }
    await load;
    throw new Error('no complete snapshot');
  },
};

for (const [name, read] of Object.entries(ways)) {
  test(name, async () => assert.ok(isOriginal(await read())));
}

const stages: Record<
  string,
  (options: ReconstructionStreamOptions, count: number) => Promise<Reconstruction | undefined>
> = {
  streams: async (options, count) => {
    let left = count;
    const first = new TransformStream({
      transform: (fragment, controller) => (left-- > 0 ? controller.enqueue(fragment) : undefined),
    });
    const decoded = chunked(file, 2 ** 20)
      .pipeThrough(new FragmentDecoderStream())
      .pipeThrough(first);
    return (await collect(decoded.pipeThrough(new ReconstructionStream(options)))).at(-1);
  },
  operators: (options, count) =>
    lastValueFrom(
      fromReadableStream(chunked(file, 2 ** 20)).pipe(decodeFragments(), take(count), reconstruct(options)),
    ),
};

for (const [name, last] of Object.entries(stages)) {
  for (const workers of [undefined, pool]) {
    test(`${name}, ${workers ? 'in a worker' : 'without workers'}: whole at the end, refused if it ends before`, async () => {
      const options = { dtype: 'source', emit: 'fragment', workers } as const;
      assert.ok(isOriginal((await last(options, fragments.length))!));
      await rejects(last(options, 1), LimitError, /option limits\.ratio/);
    });
  }
}

test('a load to a low quality brings as much as pays for it; one that ends early goes on', async () => {
  for (const strategy of ['scan', 'quality', 'tensors'] as const) {
    await using opened = await openModel(model);
    assert.is((await opened.load({ deadline: -1 })).size, 0);
    const { cosine, complete } = (await opened.load({ quality: 0.1, strategy })).get('w')!;
    assert.ok(cosine > 0.1 && !complete, `${cosine}`);
    assert.ok(isOriginal((await opened.load({ as: 'source' })).get('w')!));
  }
});

test.run();
