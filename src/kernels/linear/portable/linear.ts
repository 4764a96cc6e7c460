import type { LinearKernels } from '../interface.js';
import { multiply } from './multiply.js';
import { tridiagonalize } from './tridiagonalize.js';

export const portableLinear: LinearKernels = { multiply, multiplySingle: multiply, tridiagonalize };
