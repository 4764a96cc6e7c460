import type { LinearKernels } from '../linear.js';
import { multiply } from './multiply.js';
import { tridiagonalize } from './tridiagonalize.js';

export const portableLinear: LinearKernels = { multiply, multiplySingle: multiply, tridiagonalize };
