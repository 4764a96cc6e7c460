import { suite } from 'uvu';
import { fileSource } from '../../node.js';
import { checkHctRoundTrip } from '../helpers/checks/hctRoundTrip.js';
import { checkModelDirectory, encodeToMemory } from '../helpers/checks/modelDirectory.js';
import { checkModelFile } from '../helpers/checks/modelFile.js';
import { checkSafetensorsHeader, checkSafetensorsWriter } from '../helpers/checks/safetensorsFile.js';
import { EVALUATION_FILES, readWeightFile, WEIGHT_FILES, weightsPath } from '../helpers/weights.js';

const test = suite('real weights');

for (const name of [...WEIGHT_FILES, ...EVALUATION_FILES]) {
  const bytes = readWeightFile(name);

  test(`${name}: HCT files, bit for bit`, () => checkHctRoundTrip(bytes));

  test(`${name}: a model directory, bit for bit`, async () =>
    checkModelDirectory(await encodeToMemory(bytes), bytes));

  test(`${name}: a model file, byte for byte, and a valid safetensors file on the way`, () =>
    checkModelFile(`${name}.safetensors`, bytes));

  test(`${name}: the header as JSON.parse sees it, and the same bytes when written again`, () =>
    checkSafetensorsHeader(name, bytes));

  test(`${name}: streamed tensor by tensor in reverse order, byte for byte`, async () => {
    await using source = await fileSource(weightsPath(name));
    await checkSafetensorsWriter(name, source, bytes);
  });
}

test.run();
