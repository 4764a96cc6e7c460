/** Ends with exit code 1, and says why, where real weights are not beside the repository. */
import { missingWeights } from '../test/helpers/weights.js';

const missing = missingWeights();
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
