import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileNames } from '../../models/directory/fileNames.js';
import { serializeManifest } from '../../models/directory/manifest.js';
import { ModelReader } from '../../models/directory/modelReader.js';
import { type LoadableTensor, sharedFile } from '../../models/inputs/content.js';
import { storedTensor } from '../../models/inputs/wholeTensor.js';
import { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import { bytesSource } from '../../sources/bytes.js';
import { countingCalls } from '../helpers/countingCalls.js';
import { modelOf } from '../helpers/models.js';

const test = suite('many tensors');

const MANY = 20_000;

const named = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `t${i}`, dtype: 'U8' as const, shape: [1] }));

test('a model of many tensors loads, in one run, in runs of one tensor, and each alone', async () => {
  const file = modelOf(named(MANY), undefined, (_, length, i) => new Uint8Array(length).fill(i));
  for (const step of [1, 2]) {
    const tensors = named(MANY).filter((_, i) => i % step === 0);
    const model = await openModel(bytesSource(file));
    const loaded = await model.load({ tensors: tensors.map(({ name }) => name) });
    assert.is(loaded.size, tensors.length);
    assert.equal(loaded.get('t514')?.data, Uint8Array.of(2));
    await model.close();
  }
});

test('a tensor that is loaded alone does not cost the number of all', async () => {
  const counts = [100, 1000].map(async (count) => {
    const source = bytesSource(new Uint8Array(count));
    const file = sharedFile(source);
    let visits = 0;
    const tensors = named(count).map((tensor, offset): LoadableTensor => {
      const stored = storedTensor({ ...tensor, offset, byteLength: 1 }, source, file);
      return new Proxy(stored, {
        get(target, field) {
          visits += 1;
          return Reflect.get(target, field);
        },
      });
    });
    const model = new Model(
      { format: 'safetensors', metadata: new Map(), tensors, close: async () => {} },
      {},
    );
    const before = visits;
    for (const name of ['t7', 't99', 't3']) await model.tensor(name);
    return visits - before;
  });
  const [few, many] = await Promise.all(counts);
  assert.is(few, many);
  assert.ok(few! > 0);
});

test('a manifest is not searched for each of its tensors', async () => {
  const xxh3 = '0'.repeat(16);
  const tensors = named(500).map((tensor) => {
    const file = `${tensor.name}.raw`;
    return { ...tensor, byteLength: 1, xxh3, file, format: 'raw' as const, fileSize: 1 };
  });
  const manifest = new TextEncoder().encode(serializeManifest({ metadata: new Map(), tensors }));
  const reader = await ModelReader.open(() => bytesSource(manifest));
  const calls = countingCalls(Array.prototype, 'find', () => {
    for (const { name } of tensors) assert.is(reader.tensor(name).name, name);
  });
  assert.is(calls, 0);
});

test('file names for tensors of one stem take one look each', () => {
  const names = new FileNames();
  const long = 'x'.repeat(150);
  const calls = countingCalls(Set.prototype, 'has', () => {
    for (let i = 0; i < 8000; i++) names.next(`${long}${i}`, '.hct');
  });
  assert.ok(calls <= 16_000, `${calls} looks`);
  assert.is(names.next(`${long}-2`, '.hct').length, 'x-8001.hct'.length + 119);
});

test.run();
