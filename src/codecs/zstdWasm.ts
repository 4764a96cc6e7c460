import { UnsupportedError } from '../errors.js';
import type { ZstdEngine } from './zstd.js';

/** Scratch memory that is kept between calls; what a larger block needs is given back to the allocator. */
const RETAINED_BYTES = 4 << 20;
const PAGE = 65536;

/** What the module exports, under the names that its linker gave them (see its zstd.js). */
interface LibZstd {
  /** memory */ readonly f: WebAssembly.Memory;
  /** constructors */ g(): void;
  /** ZSTD_isError */ h(code: number): number;
  /** ZSTD_compressBound */ i(size: number): number;
  /** ZSTD_createCCtx */ j(): number;
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
  /** ZSTD_createDCtx */ n(): number;
  /** ZSTD_decompress_usingDict */
  q(
    context: number,
    to: number,
    capacity: number,
    from: number,
    size: number,
    dictionary: 0,
    dictionarySize: 0,
  ): number;
  /** malloc */ s(size: number): number;
  /** free */ t(address: number): void;
}

/**
 * libzstd from the package @bokuweb/zstd-wasm, its wasm embedded. The package's own wrapper fetches a second file in
 * browsers and makes a context for each call, which takes longer than decoding 16 KiB.
 */
export async function wasmZstd(): Promise<ZstdEngine> {
  const { instantiateZstd } = await import('./zstdWasmModule.js');
  let memory: WebAssembly.Memory | undefined;
  const fail = () => {
    throw new UnsupportedError('libzstd gave up');
  };
  const exports = (await instantiateZstd({
    a: {
      a: fail, // proc_exit
      b: () => {}, // keepalive_clear
      c: fail, // abort
      d: () => 0, // setitimer
      e: (size: number) => grow(memory!, size >>> 0),
    },
  })) as unknown as LibZstd;
  memory = exports.f;
  exports.g();
  return new WasmZstd(exports);
}

/** The allocator asks for a memory of this many bytes: 1 when it has it, 0 when not. */
function grow(memory: WebAssembly.Memory, size: number): number {
  try {
    memory.grow(Math.ceil((size - memory.buffer.byteLength) / PAGE));
    return 1;
  } catch {
    return 0;
  }
}

class WasmZstd implements ZstdEngine {
  readonly implementation = 'wasm';
  readonly verifiesChecksum = true;
  readonly #lib: LibZstd;
  readonly #input: Scratch;
  readonly #output: Scratch;
  #compressor = 0;
  #decompressor = 0;

  constructor(lib: LibZstd) {
    this.#lib = lib;
    this.#input = new Scratch(lib);
    this.#output = new Scratch(lib);
  }

  decompressInto(frame: Uint8Array, out: Uint8Array): number {
    this.#decompressor ||= this.#checked(this.#lib.n());
    return this.#run(frame, out.length, (from, to) => {
      const size = this.#lib.q(this.#decompressor, to, out.length, from, frame.length, 0, 0);
      this.#throwOnError(size);
      out.set(this.#bytes(to, Math.min(size, out.length)));
      return size;
    });
  }

  compress(data: Uint8Array, level: number): Uint8Array {
    this.#compressor ||= this.#checked(this.#lib.j());
    const bound = this.#lib.i(data.length);
    return this.#run(data, bound, (from, to) => {
      const size = this.#lib.l(this.#compressor, to, bound, from, data.length, 0, 0, level);
      this.#throwOnError(size);
      return this.#bytes(to, size).slice();
    });
  }

  #run<T>(input: Uint8Array, outputSize: number, work: (from: number, to: number) => T): T {
    try {
      const from = this.#input.reserve(input.length);
      const to = this.#output.reserve(outputSize);
      // Views are made after the last allocation: growing the memory detaches them.
      this.#bytes(from, input.length).set(input);
      return work(from, to);
    } finally {
      this.#input.trim();
      this.#output.trim();
    }
  }

  #bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#lib.f.buffer, address, length);
  }

  #checked(address: number): number {
    if (address === 0) throw new UnsupportedError('wasm memory is full');
    return address;
  }

  /** Errors are small negative numbers (zstd_errors.h). */
  #throwOnError(code: number): void {
    if (this.#lib.h(code) !== 0) throw new Error(`libzstd error ${-(code | 0)}`);
  }
}

/** A buffer in the module's memory that grows with what is asked of it. */
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
      if (this.#address === 0) throw new UnsupportedError('wasm memory is full', { expected: wanted });
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
