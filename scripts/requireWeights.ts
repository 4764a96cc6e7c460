/** Exits with code 1 and the reason when there are no real weights. */
import { missingWeights } from '../test/helpers/weights.js';

const missing = missingWeights();
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
