import { suite } from 'uvu';
import { checkEmbeddedQuality } from '../helpers/checks/embeddedQuality.js';
import { checkSquareRootWorth } from '../helpers/checks/squareRootWorth.js';
import { checkTrueQuality } from '../helpers/checks/trueQuality.js';
import { ENCODING_CASES } from '../helpers/encodingCases.js';
import { readWeight, readWeights, WEIGHT_FILES } from '../helpers/weights.js';

const test = suite('encodings of real weights');

for (const encodingCase of ENCODING_CASES) {
  const { name, encoding, exact } = encodingCase;
  const files = encoding.name === 'low-rank' ? WEIGHT_FILES : (['silero-vad-16k'] as const);
  // The product of low rank is cubic in the smaller side: larger tensors once.
  const isTaken = exact ? () => true : (data: Float32Array) => data.length <= 20_000;

  for (const file of files) {
    test(`${name}, ${file}: true quality of every prefix and of random subsets, and the whole`, () => {
      for (const tensor of readWeights(file))
        if (isTaken(tensor.data)) checkTrueQuality(encodingCase, tensor);
    });
  }
}

test('random projection: k of 8 fragments are worth sqrt(k/8), wild outliers or not', () =>
  checkSquareRootWorth(readWeight('silero-vad-16k', 'conv4.weight')));

test('embedded: quality is the true one, fragment after fragment, and rises', () =>
  checkEmbeddedQuality(readWeight('silero-vad-16k', 'lstm_cell.weight_hh').data));

test.run();
