import type { KernelSubject } from '../kernels.js';
import type { WasmRuntime } from './runtime.js';

/** One subject in wasm. */
export interface WasmSubject<K> {
  /** Its modules, as `inflateModule` takes them, by the names under which `WasmRuntime.exports` finds them. */
  readonly modules: Readonly<Record<string, string>>;
  /** Subjects whose modules it calls, too. */
  readonly needs?: readonly KernelSubject[];
  /**
   * Its functions, once the runtime has the modules.
   * @param portable the portable ones if they have been loaded, for what the memory cannot hold
   */
  link(runtime: WasmRuntime, portable: () => K | undefined): K;
}

/**
 * The bytes of an embedded module: raw deflate (RFC 1951) in base64. Compressed before it becomes text, it takes less
 * than half the size of the bare module in base64, and is smaller in a gzipped bundle, too.
 */
export async function inflateModule(base64: string): Promise<BufferSource> {
  const deflated = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  // Node loads half a megabyte of its own code before it makes the first response: 30 ms of each thread.
  const zlib = globalThis.process?.getBuiltinModule?.('node:zlib');
  if (zlib) return zlib.inflateRawSync(deflated);
  const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(inflated).arrayBuffer();
}
