import { DCT_WASM } from './dct/wasm/dct.generated.js';
import { wasmDct } from './dct/wasm.js';
import { EMBEDDED_WASM } from './embedded/wasm/embedded.generated.js';
import { wasmEmbedded } from './embedded/wasm.js';
import { FLOAT_WASM } from './float/wasm/float.generated.js';
import { wasmFloat } from './float/wasm.js';
import { GAUSSIAN_WASM } from './gaussian/wasm/gaussian.generated.js';
import { wasmGaussian } from './gaussian/wasm.js';
import type { Kernels } from './kernels.js';
import { SUM_WASM } from './linear/wasm/sum.generated.js';
import { wasmSum } from './linear/wasm.js';
import { LZ4_WASM } from './lz4/wasm/lz4.generated.js';
import { wasmLz4 } from './lz4/wasm.js';
import { portableKernels } from './portableKernels.js';
import { inflateModule } from './runtime/inflate.js';
import { WasmRuntime } from './runtime/runtime.js';
import { XXH3_WASM } from './xxh3/wasm/xxh3.generated.js';
import { wasmXxh3 } from './xxh3/wasm.js';
import { ZSTD_WASM } from './zstd/wasm/zstd.generated.js';
import { wasmZstd } from './zstd/wasm.js';

/** The modules, by the names under which `WasmRuntime.exports` finds them. */
const MODULES: Readonly<Record<string, string>> = {
  dct: DCT_WASM,
  embedded: EMBEDDED_WASM,
  float: FLOAT_WASM,
  gaussian: GAUSSIAN_WASM,
  lz4: LZ4_WASM,
  sum: SUM_WASM,
  xxh3: XXH3_WASM,
  zstd: ZSTD_WASM,
};

/**
 * Compiles and links the wasm kernels; what has no wasm yet is portable.
 * @throws WebAssembly.CompileError, or whatever an engine without WebAssembly or SIMD, or a content policy, throws
 */
export async function createWasmKernels(): Promise<Kernels> {
  const compiled = Object.entries(MODULES).map(
    async ([name, text]) => [name, await WebAssembly.compile(await inflateModule(text))] as const,
  );
  const runtime = new WasmRuntime(new Map(await Promise.all(compiled)));
  return {
    ...portableKernels,
    implementation: 'wasm',
    ...wasmDct(runtime),
    embedded: wasmEmbedded(runtime),
    ...wasmFloat(runtime),
    ...wasmGaussian(runtime),
    ...wasmLz4(runtime),
    ...wasmSum(runtime),
    ...wasmXxh3(runtime),
    ...wasmZstd(runtime),
    release: () => runtime.release(),
  };
}
