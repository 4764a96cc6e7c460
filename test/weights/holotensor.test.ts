import { test } from 'uvu';
import { checkQuality, largestAndSmallest, QUALITY_CASES } from '../helpers/checks/holotensorQuality.js';
import { readWeights, WEIGHT_FILES } from '../helpers/weights.js';

const tensors = WEIGHT_FILES.flatMap((file) => largestAndSmallest(readWeights(file)));

for (const [encoding, options] of QUALITY_CASES) {
  test(`${encoding} ${JSON.stringify(options)}: the quality it reports is the quality there is`, () => {
    for (const tensor of tensors) checkQuality(encoding, options, tensor);
  });
}

test.run();
