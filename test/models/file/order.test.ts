import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import type { FragmentOptions } from '../../../models/file/encodeTensor.js';
import { readModelFile } from '../../../models/file/modelFile.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import type { LoadableTensor } from '../../../models/inputs/content.js';
import { openModel } from '../../../models/openModel.js';
import { ModelQuality } from '../../../models/progress.js';
import { tensorWeight } from '../../../models/tensorWeight.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { ArgumentError } from '../../../src/errors.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects } from '../../helpers/assertions.js';
import { encodeToModelFile, modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { normalFrom } from '../../helpers/random.js';

const random = normalFrom(7);

/** A small layer and a large one, of the same kind of numbers. */
const LAYERS = modelOf(
  [
    { name: 'large', dtype: 'F32', shape: [512, 256] },
    { name: 'small', dtype: 'F32', shape: [64, 64] },
  ],
  undefined,
  (_, byteLength) => viewBytes(Float32Array.from({ length: byteLength / 4 }, () => 0.02 * random())),
);

/** Bytes of the file until each of the tensors has the cosine. */
async function bytesUntil(file: Uint8Array, quality: number): Promise<Record<string, number>> {
  const { tensors } = await readModelFile(bytesSource(file));
  return Object.fromEntries(
    tensors.map(({ name, encoded, pieces }) => {
      const { offset, length } = pieces[1 + encoded!.cosines.findIndex((cosine) => cosine >= quality)]!;
      return [name, offset + length];
    }),
  );
}

test('a small layer is good before a large one, unless elements count', async () => {
  const balanced = await bytesUntil(await modelFileOf(LAYERS), 0.99);
  const byElements = await bytesUntil(await modelFileOf(LAYERS, { order: 'elements' }), 0.99);
  assert.ok(balanced.small! < byElements.small!);
  assert.ok(balanced.small! < balanced.large!);
});

test('what a tensor is decides how it counts, and not its size alone', () => {
  assert.is(tensorWeight([64, 8, 5, 5]), tensorWeight([512, 200, 1]));
  assert.ok(Math.abs(tensorWeight([96, 1, 3, 3]) / tensorWeight([96, 16, 3, 3]) - 2) < 1e-12);
  assert.ok(tensorWeight([64, 64, 3]) > tensorWeight([512, 512]));
  assert.is(tensorWeight([512, 512]), tensorWeight([64, 2048]));
  assert.is(tensorWeight([50_000, 500]), 10 * tensorWeight([500, 500]));
  assert.ok(tensorWeight([]) > 0 && tensorWeight([4096]) < tensorWeight([64, 64]));
  for (const shape of [[0], [0, 5], [5, 0], [2, 0, 3]]) assert.is(tensorWeight(shape), 0);
  assert.is(tensorWeight([3, 4, 5], 'elements'), 60);
});

test('fragments that are fewer than asked for are counted', async () => {
  const fewer = async (encode: FragmentOptions) => {
    const inputs = [{ name: 'm.safetensors', source: bytesSource(LAYERS) }];
    const stats = await encodeModelFile(inputs, memorySink(), memoryStagingStore(), { encode });
    return [stats.fewerFragments, stats.encoded];
  };
  assert.equal(await fewer({}), [0, 2]);
  assert.equal(await fewer({ fragments: 8 }), [0, 2]);
  assert.equal(await fewer({ qualities: [0.5, 0.9, 'exact'] }), [0, 2]);
  assert.equal(await fewer({ fragments: 60 }), [1, 2]);
  assert.equal(await fewer({ qualities: [0.9, 0.9000001, 'exact'] }), [2, 2]);
});

test('the quality of a whole model is 1, however its weights round', () => {
  for (let count = 1; count <= 50; count++) {
    const states = Array.from({ length: count }, (_, i) => ({
      tensor: { name: `w${i}`, weight: 0.1 * (i + 1) } as LoadableTensor,
    }));
    const quality = new ModelQuality(states);
    for (const cosine of [0.7, 0.93, 0.999, 1]) {
      for (const state of states) {
        assert.ok(quality.whole < 1);
        quality.update({ ...state, cosine });
      }
    }
    assert.is(quality.whole, 1);
    quality.update({ ...states[0]!, cosine: 0.5 });
    assert.ok(quality.whole < 1);
  }
});

test('importance moves a tensor forward, and what counts nothing comes last', async () => {
  const normal = await bytesUntil(await modelFileOf(LAYERS), 0.99);
  const importance = (name: string) => (name === 'large' ? 100 : undefined);
  const moved = await bytesUntil(await modelFileOf(LAYERS, { importance }), 0.99);
  assert.ok(moved.large! < normal.large!);
  const file = await modelFileOf(LAYERS, { importance: (name) => (name === 'large' ? 0 : 1) });
  const { large, small } = await bytesUntil(file, 1);
  assert.is(large, file.length);
  assert.ok(small! < large!);
});

test('order, planning, progress and quality use the weights of the plan', async () => {
  const file = await modelFileOf(LAYERS, { importance: (name) => (name === 'small' ? 3 : undefined) });
  const { tensors } = await readModelFile(bytesSource(file));
  const weights = new Map(tensors.map(({ name, weight }) => [name, weight]));
  assert.equal(
    [...weights],
    [
      ['large', 0.176777],
      ['small', 0.375],
    ],
  );
  const model = await openModel(bytesSource(file));
  let reported = 0;
  const loaded = await model.load({
    quality: 0.9,
    onProgress: ({ quality }) => {
      reported = quality;
    },
  });
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const mean = [...loaded].reduce((sum, [name, { cosine }]) => sum + weights.get(name)! * cosine, 0) / total;
  assert.ok(Math.abs(model.quality - mean) < 1e-6);
  assert.is(reported, model.quality);
  assert.ok(model.quality >= 0.9 && model.quality < 0.99, `${model.quality}`);
  await model.close();
});

test('an importance that is no factor is refused, before anything is written', async () => {
  for (const factor of [-1, Number.NaN, Number.POSITIVE_INFINITY, '2' as never]) {
    const encoding = encodeToModelFile({ 'm.safetensors': LAYERS }, { importance: () => factor });
    await rejects(encoding, ArgumentError, /importance/);
  }
  await rejects(
    encodeToModelFile({ 'm.safetensors': LAYERS }, { order: 'size' as never }),
    ArgumentError,
    /order/,
  );
});

test.run();
