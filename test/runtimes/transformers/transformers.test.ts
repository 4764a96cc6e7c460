import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { similarity } from '../../../src/tensor/similarity.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { fileServer } from '../../helpers/fileServer.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { noise } from '../../helpers/random.js';
import { Project } from '../helpers/project.js';
import { tinyModel } from './tinyModel.js';

const test = suite('transformers.js with a fetch that answers from a model file');

const SHAPE = [2000, 64] as const;
const VALUES = noise(2000 * 64);
let project: Project;

test.before(async () => {
  project = await Project.create('transformers');
});
test.after(() => project.remove());

test('at quality 1 the original’s numbers; below it, close ones from a part of the bytes', async () => {
  const weights = modelOf([{ name: 'embeddings', dtype: 'F32', shape: SHAPE }], undefined, () =>
    viewBytes(VALUES),
  );
  const [embeddings] = parseSafetensorsHeader(weights).tensors;
  const encoder = new TextEncoder();
  const files = Object.entries(tinyModel(embeddings!)).map(
    ([name, content]) =>
      [`tiny/${name}`, typeof content === 'string' ? encoder.encode(content) : content] as const,
  );
  const modelFile = await modelFileOf(weights);
  const all = { ...Object.fromEntries(files), 'tiny/onnx/model.holo.safetensors': modelFile };
  await using server = await fileServer(all);
  const embedded = async (quality: number) => {
    const output = await project.run('node', 'run.js', server.url, String(quality));
    return JSON.parse(output.slice(output.indexOf('{'))) as { dims: number[]; data: number[] };
  };
  // Of the words with the numbers 2 to 4.
  const expected = VALUES.subarray(2 * 64, 5 * 64);
  const exact = await embedded(1);
  assert.equal(exact.dims, [1, 3, 64]);
  assert.equal(Float32Array.from(exact.data), expected);
  assert.not(server.requests.some((one) => one.includes('model.onnx_data')));
  const whole = server.sent;
  const rough = await embedded(0.9);
  assert.not.equal(rough, exact);
  assert.ok(server.sent - whole < whole / 2, `${server.sent - whole} of ${whole} bytes`);
  assert.ok(similarity(Float32Array.from(rough.data), expected).cosine > 0.8);
});

test.run();
