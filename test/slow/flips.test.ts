import { suite } from 'uvu';
import { testFlips } from '../fuzz/flips.js';

/** A bit of a larger one is in the same kinds of sections, and takes longer. */
const MAX_BYTES = 2100;

const test = suite('flipped bits of all files');

await testFlips(test, (seeds) => seeds.filter(({ bytes }) => bytes.length <= MAX_BYTES));

test.run();
