import type { LinearKernels, SumKernels } from './interface.js';
import { addProduct, multiply } from './portable/multiply.js';
import { tridiagonalize } from './portable/tridiagonalize.js';

export const portableSum: SumKernels = { addProduct };

export const portableLinear: LinearKernels = { multiply, multiplySingle: multiply, tridiagonalize };
