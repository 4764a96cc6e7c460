import type { LinearKernels } from './interface.js';
import { multiply } from './portable/multiply.js';
import { tridiagonalize } from './portable/tridiagonalize.js';

export const portableLinear: LinearKernels = { multiply, multiplySingle: multiply, tridiagonalize };
