import { suite } from 'uvu';
import { checkHctRoundTrip } from '../../helpers/checks/hctRoundTrip.js';
import { TRAINED_FILES } from '../../helpers/trained.js';

const test = suite('HCT: trained weights, bit for bit');

for (const [name, bytes] of Object.entries(TRAINED_FILES)) test(name, () => checkHctRoundTrip(bytes));

test.run();
