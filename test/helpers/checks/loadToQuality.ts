import * as assert from 'uvu/assert';
import { openModel } from '../../../models/openModel.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewElements } from '../../../src/tensor/tensor.js';
import { countingSource } from '../countingSource.js';
import { cosineSimilarity } from '../encodings.js';
import { modelFileOf } from '../modelFiles.js';

/** Opening a model brings its header and what follows it, up to here. */
const FIRST_READ = 65536;

/**
 * Asserts for a model of mostly F32 weights that loading it to a quality takes the bytes planned, less than a quarter of
 * the file, reaches what it reports, and is completed by the rest of the bytes.
 */
export async function checkLoadToQuality(original: Uint8Array): Promise<void> {
  const file = await modelFileOf(original);
  const { tensors } = parseSafetensorsHeader(original);
  const headerSize = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  for (const strategy of ['scan', 'quality', 'tensors'] as const) {
    const source = countingSource(file);
    const model = await openModel(source);
    assert.equal(source.ranges.splice(0), [[0, FIRST_READ]]);
    const planned = model.plannedBytes({ quality: 0.99, strategy });
    const loaded = await model.load({ quality: 0.99, strategy });
    const fetched = source.ranges.reduce((sum, [start, end]) => sum + end - start, 0);
    const known = Math.min(file.length, Math.max(FIRST_READ, headerSize));
    assert.ok(fetched <= planned && fetched >= planned - (known - headerSize), strategy);
    assert.ok(planned < 0.25 * file.length, `${planned} of ${file.length}`);
    if (strategy === 'scan') {
      assert.is(fetched, Math.max(0, headerSize + planned - known));
      assert.ok(source.ranges.length <= 1);
    }
    assert.ok(model.quality >= 0.99 - 1e-9, `${model.quality}`);
    for (const { name, dtype, offset, byteLength } of tensors) {
      if (dtype !== 'F32') continue;
      const { data, cosine: claimed, complete } = loaded.get(name)!;
      const exact = viewElements('F32', original.slice(offset, offset + byteLength)) as Float32Array;
      const actual = cosineSimilarity(data as Float32Array, exact);
      assert.ok(Math.abs(actual - claimed) < 1e-4, `${name}: ${claimed}, in truth ${actual}`);
      if (strategy !== 'scan' && !complete) assert.ok(claimed >= 0.99);
    }
    // The rest, and only the rest.
    const before = source.ranges.length;
    await model.load();
    const rest = source.ranges.slice(before).reduce((sum, [start, end]) => sum + end - start, 0);
    assert.is(fetched + rest, file.length - known);
    assert.is(model.quality, 1);
  }
}
