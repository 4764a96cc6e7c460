import { UnsupportedError } from '../../errors.js';
import { blockedMultiply, blockLengths } from '../blockedMultiply.js';
import type { LinearKernels } from '../kernels.js';
import { portableKernels } from '../portable/index.js';
import type { WasmRuntime } from './runtime.js';

interface LinearExports {
  multiplyBlock(left: number, right: number, rows: number, cols: number, length: number, out: number): void;
  tridiagonalize(a: number, n: number, diagonal: number, subdiagonal: number, work: number): void;
}

/** Bytes of an f64. */
const SIZE = Float64Array.BYTES_PER_ELEMENT;

export function wasmLinear(runtime: WasmRuntime): LinearKernels {
  return {
    multiply(a, b, out) {
      runtime.scope(() => {
        const lengths = blockLengths(a, b);
        const left = runtime.allocate(lengths.left * SIZE);
        const right = runtime.allocate(lengths.right * SIZE);
        const product = runtime.allocate(lengths.product * SIZE);
        const { multiplyBlock } = runtime.exports<LinearExports>('linear');
        blockedMultiply(a, b, out, {
          left: runtime.doubles(left, lengths.left),
          right: runtime.doubles(right, lengths.right),
          product: runtime.doubles(product, lengths.product),
          run: (rows, cols, length) => multiplyBlock(left, right, rows, cols, length, product),
        });
      });
    },
    tridiagonalize(a, n, diagonal, subdiagonal) {
      runtime.scope(() => {
        let matrix: number;
        try {
          // The matrix, two vectors of results, four to work with.
          matrix = runtime.allocate((n + 6) * n * SIZE);
        } catch (error) {
          if (!(error instanceof UnsupportedError)) throw error;
          portableKernels.tridiagonalize(a, n, diagonal, subdiagonal);
          return;
        }
        const vectors = matrix + n * n * SIZE;
        const beside = vectors + n * SIZE;
        const work = beside + n * SIZE;
        runtime.load(a, matrix);
        runtime.exports<LinearExports>('linear').tridiagonalize(matrix, n, vectors, beside, work);
        runtime.store(matrix, a);
        runtime.store(vectors, diagonal);
        runtime.store(beside, subdiagonal);
      });
    },
  };
}
