import { checkOutput } from '../../tensor/tensor.js';
import type { WasmSubject } from '../runtime/module.js';
import type { WasmRuntime } from '../runtime/runtime.js';
import type { FloatKernels } from './interface.js';
import { FLOAT_WASM } from './wasm/float.generated.js';

interface FloatExports {
  bfloat16ToFloat32(from: number, to: number, count: number): void;
  float32ToBfloat16(from: number, to: number, count: number): void;
  halfToFloat32(from: number, to: number, count: number): void;
  float32ToHalf(from: number, to: number, count: number): void;
  dequantize(from: number, to: number, count: number, scale: number, zeroPoint: number): void;
}

/** Elements that pass through the memory at a time: 48 KiB of both widths, which stay in the first-level cache. */
const CHUNK = 8192;

/** The kernels process this many elements per step. */
const STEP = 8;
const DEQUANTIZE_STEP = 16;

export const wasmFloat: WasmSubject<FloatKernels> = { modules: { float: FLOAT_WASM }, link };

function link(runtime: WasmRuntime): FloatKernels {
  function convert<I extends Uint16Array | Float32Array, O extends Uint16Array | Float32Array>(
    kernel: Exclude<keyof FloatExports, 'dequantize'>,
    src: I,
    out: O,
    name: O[typeof Symbol.toStringTag],
  ): O {
    checkOutput<Uint16Array | Float32Array>(out, src.length, name);
    return runtime.scope(() => {
      const from = runtime.allocate(CHUNK * src.BYTES_PER_ELEMENT);
      const to = runtime.allocate(CHUNK * out.BYTES_PER_ELEMENT);
      const run = runtime.exports<FloatExports>('float')[kernel];
      for (let start = 0; start < src.length; start += CHUNK) {
        const count = Math.min(CHUNK, src.length - start);
        runtime.load(src.subarray(start, start + count), from);
        run(from, to, Math.ceil(count / STEP) * STEP);
        runtime.store(to, out.subarray(start, start + count));
      }
      return out;
    });
  }
  return {
    bfloat16ToFloat32: (src, out = new Float32Array(src.length)) =>
      convert('bfloat16ToFloat32', src, out, 'Float32Array'),
    float32ToBfloat16: (src, out = new Uint16Array(src.length)) =>
      convert('float32ToBfloat16', src, out, 'Uint16Array'),
    halfToFloat32: (src, out = new Float32Array(src.length)) =>
      convert('halfToFloat32', src, out, 'Float32Array'),
    float32ToHalf: (src, out = new Uint16Array(src.length)) =>
      convert('float32ToHalf', src, out, 'Uint16Array'),
    dequantizeGroups: (values, scales, groupLength, zeroPoint, out) =>
      runtime.scope(() => {
        const from = runtime.allocate(CHUNK + DEQUANTIZE_STEP);
        const to = runtime.allocate((CHUNK + DEQUANTIZE_STEP) * out.BYTES_PER_ELEMENT);
        const { dequantize } = runtime.exports<FloatExports>('float');
        for (let start = 0; start < values.length; start += CHUNK) {
          const end = Math.min(start + CHUNK, values.length);
          runtime.load(values.subarray(start, end), from);
          // Whole steps write past the end of a group; the next group overwrites this.
          for (let at = start; at < end; ) {
            const group = Math.floor(at / groupLength);
            const next = Math.min((group + 1) * groupLength, end);
            dequantize(from + at - start, to + 4 * (at - start), next - at, scales[group]!, zeroPoint);
            at = next;
          }
          runtime.store(to, out.subarray(start, end));
        }
      }),
  };
}
