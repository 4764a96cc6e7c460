import { suite } from 'uvu';
import { checkLoadToQuality } from '../helpers/checks/loadToQuality.js';
import { checkPlannedBytes } from '../helpers/checks/plannedBytes.js';
import { faultyServer } from '../helpers/faultyServer.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { readWeightFile } from '../helpers/weights.js';

const test = suite('loading real weights');

test('up to a quality: of the whole by a prefix, of each tensor by ranges; what is reported is true', () =>
  checkLoadToQuality(readWeightFile('charrnn-bronte')));

test('a quality costs at most what was planned and 5 %', async () => {
  const file = await modelFileOf(readWeightFile('mnist-mlp-ggml'));
  await using server = await faultyServer(file);
  await checkPlannedBytes(server, file.length);
});

test.run();
