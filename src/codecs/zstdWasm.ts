import { LimitError, UnsupportedError } from '../errors.js';

/** Scratch memory that is kept between calls; a larger block returns its memory to the allocator. */
const RETAINED_BYTES = 4 << 20;
const PAGE = 65536;

/** The exports of the module, under the names that its linker chose (see the package's zstd.js). */
interface LibZstd {
  /** memory */
  readonly f: WebAssembly.Memory;
  /** constructors */
  g(): void;
  /** ZSTD_isError */
  h(code: number): number;
  /** ZSTD_compressBound */
  i(size: number): number;
  /** ZSTD_createCCtx */
  j(): number;
  /** ZSTD_compress_usingDict */
  l(
    context: number,
    to: number,
    capacity: number,
    from: number,
    size: number,
    dictionary: 0,
    dictionarySize: 0,
    level: number,
  ): number;
  /** malloc */
  s(size: number): number;
  /** free */
  t(address: number): void;
}

export type ZstdCompress = (data: Uint8Array, level: number) => Uint8Array;

/**
 * The encoder of libzstd, from the package @bokuweb/zstd-wasm, with its wasm embedded. The package's own wrapper
 * fetches a second file in browsers, and makes a context for each call, which takes longer than compressing 16 KiB.
 */
export async function loadZstdEncoder(): Promise<ZstdCompress> {
  const { instantiateZstd } = await import('./zstdWasmModule.js');
  let memory: WebAssembly.Memory | undefined;
  const fail = () => {
    throw new UnsupportedError('Cannot compress with Zstd: libzstd aborted');
  };
  const lib = (await instantiateZstd({
    a: {
      a: fail, // proc_exit
      b: () => {}, // keepalive_clear
      c: fail, // abort
      d: () => 0, // setitimer
      e: (size: number) => grow(memory!, size >>> 0),
    },
  })) as unknown as LibZstd;
  memory = lib.f;
  lib.g();
  const context = lib.j();
  const input = new Scratch(lib);
  const output = new Scratch(lib);
  return (data, level) => {
    try {
      const bound = lib.i(data.length);
      const from = input.reserve(data.length);
      const to = output.reserve(bound);
      // Views are made after the last allocation, because growing the memory detaches them.
      new Uint8Array(lib.f.buffer, from, data.length).set(data);
      const size = lib.l(context, to, bound, from, data.length, 0, 0, level);
      // Errors are small negative numbers (zstd_errors.h).
      if (lib.h(size) !== 0)
        throw new UnsupportedError('Cannot compress with Zstd: libzstd returned an error code', {
          actual: -(size | 0),
        });
      return new Uint8Array(lib.f.buffer, to, size).slice();
    } finally {
      input.trim();
      output.trim();
    }
  };
}

/** Grows the memory to `size` bytes for the allocator: 1 on success, otherwise 0. */
function grow(memory: WebAssembly.Memory, size: number): number {
  try {
    memory.grow(Math.ceil((size - memory.buffer.byteLength) / PAGE));
    return 1;
  } catch {
    return 0;
  }
}

/** A buffer in the memory of the module that grows on demand. */
class Scratch {
  readonly #lib: LibZstd;
  #address = 0;
  #size = 0;

  constructor(lib: LibZstd) {
    this.#lib = lib;
  }

  reserve(size: number): number {
    if (size > this.#size || this.#address === 0) {
      this.#release();
      const wanted = Math.max(size, PAGE);
      this.#address = this.#lib.s(wanted);
      if (this.#address === 0)
        throw new LimitError('Cannot compress with Zstd: the wasm memory is full', {
          expected: wanted,
        });
      this.#size = wanted;
    }
    return this.#address;
  }

  trim(): void {
    if (this.#size > RETAINED_BYTES) this.#release();
  }

  #release(): void {
    if (this.#address !== 0) this.#lib.t(this.#address);
    this.#address = 0;
    this.#size = 0;
  }
}
