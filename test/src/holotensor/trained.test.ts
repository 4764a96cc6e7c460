import { test } from 'uvu';
import { checkQuality, largestAndSmallest, QUALITY_CASES } from '../../helpers/checks/holotensorQuality.js';
import { readTensors, TRAINED_FILES } from '../../helpers/trained.js';

const tensors = Object.entries(TRAINED_FILES).flatMap(([file, bytes]) =>
  largestAndSmallest(readTensors(file, bytes)),
);

for (const [encoding, options] of QUALITY_CASES) {
  test(`${encoding} ${JSON.stringify(options)}: the quality it reports is the quality there is`, () => {
    for (const tensor of tensors) checkQuality(encoding, options, tensor);
  });
}

test.run();
