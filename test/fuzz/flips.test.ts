import { suite } from 'uvu';
import { testFlips } from './flips.js';

/** Larger files take minutes together; test/slow has them. */
const MAX_BYTES = 300;

const test = suite('flipped bits');

await testFlips(test, (seeds) => {
  const [smallest, ...others] = seeds.toSorted((a, b) => a.bytes.length - b.bytes.length);
  return [smallest!, ...others.filter(({ bytes }) => bytes.length <= MAX_BYTES)];
});

test.run();
