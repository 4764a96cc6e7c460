import { LimitError } from '../../../errors.js';
import { ownRuntime } from '../../runtime/encodeKernels.js';
import type { WasmRuntime } from '../../runtime/runtime.js';
import { blockedMultiply, blockLengths } from '../blockedMultiply.js';
import type { LinearKernels } from '../interface.js';
import type { Matrix } from '../matrix.js';
import { portableLinear } from '../portable.js';
import { LINEAR_WASM } from './linear.generated.js';
import { isNarrow, narrowMultiply } from './narrowMultiply.js';

interface LinearExports {
  multiplyBlock(left: number, right: number, rows: number, cols: number, length: number, out: number): void;
  tridiagonalize(a: number, n: number, diagonal: number, subdiagonal: number, work: number): void;
}

/** Bytes of an f64. */
const SIZE = Float64Array.BYTES_PER_ELEMENT;

let shared: LinearKernels | undefined;

/** @throws what `ownRuntime` throws */
export function wasmLinear(): LinearKernels {
  shared ??= kernelsOn(ownRuntime('linear', LINEAR_WASM));
  return shared;
}

function kernelsOn(runtime: WasmRuntime): LinearKernels {
  function multiply(a: Matrix, b: Matrix, out: Float64Array): void {
    if (!isNarrow(8, a, b)) multiplyBlocks(a, b, out);
    else
      runtime.scopeOr(
        () => narrowMultiply(runtime, 8, a, b, out),
        () => multiplyBlocks(a, b, out),
      );
  }

  /** In a memory that does not depend on the sizes. */
  function multiplyBlocks(a: Matrix, b: Matrix, out: Float64Array): void {
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
  }

  return {
    multiply,
    multiplySingle(a, b, out) {
      if (!(a.data instanceof Float32Array) || !isNarrow(4, a, b)) multiply(a, b, out);
      else
        runtime.scopeOr(
          () => narrowMultiply(runtime, 4, a, b, out),
          () => multiply(a, b, out),
        );
    },
    tridiagonalize(a, n, diagonal, subdiagonal) {
      runtime.scope(() => {
        let matrix: number;
        try {
          // The matrix, two vectors of results, four to work with.
          matrix = runtime.allocate((n + 6) * n * SIZE);
        } catch (error) {
          if (!(error instanceof LimitError)) throw error;
          portableLinear.tridiagonalize(a, n, diagonal, subdiagonal);
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
