import type { Kernels } from '../kernels.js';
import { WasmRuntime } from './runtime.js';

/**
 * One module with a memory of its own, for kernels that only encoders need. It is compiled synchronously, on first use.
 * @param base64 the module, not deflated, because inflating is asynchronous
 * @throws WebAssembly.CompileError, or the error of an engine that does not compile synchronously
 */
export function ownRuntime(subject: string, base64: string): WasmRuntime {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new WasmRuntime(new Map([[subject, new WebAssembly.Module(bytes)]]));
}

/**
 * Kernels that only encoders need, of the same implementation as those that are loaded: the portable ones also where an
 * engine does not compile synchronously.
 */
export function forEncoding<K>(
  { implementation }: Pick<Kernels, 'implementation'>,
  portable: K,
  wasm: () => K,
): K {
  if (implementation === 'portable') return portable;
  try {
    return wasm();
  } catch {
    return portable;
  }
}
