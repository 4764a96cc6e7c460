/** Runs all tests, those on real weights only where the weights are available. usage: npm run test:all */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { missingWeights } from '../test/helpers/weights.js';

const missing = missingWeights();
const runTests = fileURLToPath(new URL('runTests.ts', import.meta.url));
const ignored = missing === undefined ? [] : ['--ignore', 'test/weights'];
const { status } = spawnSync(process.execPath, ['--import', 'tsx', runTests, '--thorough', ...ignored], {
  stdio: 'inherit',
});
if (missing !== undefined) console.log(`The tests of test/weights were not run. ${missing}`);
process.exit(status ?? 1);
