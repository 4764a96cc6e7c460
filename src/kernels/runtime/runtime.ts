import type { Steps } from '../../async/steps.js';
import { LimitError } from '../../errors.js';

const PAGE = 65536;

/** A wasm memory addresses 4 GiB. */
const MAX_PAGES = 65536;

/**
 * Small work takes no more. The first memory that grows detaches its buffer, after which V8 drops all code that reads typed
 * arrays, and compiles it again with more checks.
 */
const FIRST_PAGES = 8;

/** Working memory that is kept between calls; `release` frees a memory that has grown beyond it. */
const RETAINED_BYTES = 4 << 20;

/** Grown memory without use for this long is freed automatically. */
const IDLE_MS = 2000;

/** Allocations begin at a cache line, so that vectors of different arrays never share one. */
const ALIGNMENT = 64;

type Exports = Readonly<Record<string, CallableFunction>>;

/**
 * One linear memory that all kernel modules share, a stack of allocations in it, and below that what is kept. Because they share it, the
 * output of one kernel is the input of the next without a copy.
 *
 * Views of the memory (`bytes`, `words`, `floats`, `doubles`) are valid only until the next `allocate`: growing
 * detaches them.
 */
export class WasmRuntime {
  readonly #modules: ReadonlyMap<string, WebAssembly.Module>;
  readonly #instances = new Map<string, Exports>();
  #memory = newMemory();
  /** Bytes of the memory, in use or not. It grows here only; asking it would dominate small calls. */
  #byteLength = this.#memory.buffer.byteLength;
  #view = new Uint8Array(this.#memory.buffer);
  /** Where the stack begins, behind what is kept. 0 is never allocated, because it is the null pointer. */
  #base = ALIGNMENT;
  /** The address after the last allocation. */
  #top = ALIGNMENT;
  readonly #kept = new Map<ArrayBufferView, number>();
  #generation = 0;
  readonly #idleMs: number;
  #used = false;
  /** What {@link apart} used last, for the next time. */
  #spare: WasmRuntime | undefined;
  #idle: ReturnType<typeof setInterval> | undefined;

  constructor(modules: ReadonlyMap<string, WebAssembly.Module>, idleMs = IDLE_MS) {
    this.#modules = modules;
    this.#idleMs = idleMs;
  }

  /** The functions of one subject; its instance is made on first use. */
  exports<E extends { readonly [F in keyof E]: CallableFunction }>(subject: string): E {
    let found = this.#instances.get(subject);
    if (found === undefined) {
      const module = this.#modules.get(subject)!;
      const imports = { env: { memory: this.#memory } };
      found = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
      this.#instances.set(subject, found);
    }
    return found as unknown as E;
  }

  /**
   * Runs `work` and frees its allocations. Calls can be nested.
   * @throws what `work` throws
   */
  scope<T>(work: () => T): T {
    const mark = this.#top;
    try {
      return work();
    } finally {
      this.#end(mark);
    }
  }

  /**
   * Runs steps in a memory of their own: between two of them, others use the shared one, which is a stack. That memory serves
   * the next steps again, because the pages of a new one cost about as much time as a transform in it.
   */
  *apart<T>(work: (runtime: WasmRuntime) => Steps<T>): Steps<T> {
    const runtime = this.#spare ?? new WasmRuntime(this.#modules, this.#idleMs);
    this.#spare = undefined;
    try {
      return yield* work(runtime);
    } finally {
      this.#spare = runtime;
      runtime.#end(ALIGNMENT);
    }
  }

  /** The same, or `otherwise` where the memory cannot hold what `work` allocates: the portable path. */
  scopeOr<T>(work: () => T, otherwise: (full: LimitError) => T): T {
    try {
      return this.scope(work);
    } catch (error) {
      if (error instanceof LimitError) return otherwise(error);
      throw error;
    }
  }

  /**
   * The address of `byteLength` bytes, not zeroed, at a multiple of 64. It ends with the innermost `scope`.
   * @throws LimitError when the memory cannot grow that far
   */
  allocate(byteLength: number): number {
    const start = this.#top;
    const top = start + Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    const missing = Math.ceil((top - this.#byteLength) / PAGE);
    if (missing > 0) {
      try {
        this.#memory.grow(missing);
        this.#byteLength += PAGE * missing;
      } catch (cause) {
        throw new LimitError('Cannot run the kernel: the wasm memory is full', {
          expected: top,
          cause,
        });
      }
    }
    this.#top = top;
    return start;
  }

  /** How often what was kept has been dropped: addresses of one generation mean nothing in the next. */
  get generation(): number {
    return this.#generation;
  }

  /** Nothing is allocated: a copy that `keep` makes now stays. */
  get keeps(): boolean {
    return this.#top === this.#base;
  }

  /**
   * The address of a copy of constant `bytes`, which stays between calls and is found again by their object. While anything
   * else is allocated, it is a copy that ends with the scope.
   * @param prepare changes a new copy
   */
  keep(bytes: ArrayBufferView, prepare?: (address: number) => void): number {
    const known = this.#kept.get(bytes);
    if (known !== undefined) return known;
    const stays = this.keeps;
    const address = this.allocate(bytes.byteLength);
    this.load(bytes, address);
    prepare?.(address);
    if (stays) {
      this.#base = this.#top;
      this.#kept.set(bytes, address);
    }
    return address;
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#whole().buffer, address, length);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.#whole().buffer, address, length);
  }

  words(address: number, length: number): Uint32Array {
    return new Uint32Array(this.#whole().buffer, address, length);
  }

  doubles(address: number, length: number): Float64Array {
    return new Float64Array(this.#whole().buffer, address, length);
  }

  /** Copies the bytes of `source` to `address`. */
  load(source: ArrayBufferView, address: number): void {
    this.#whole().set(source instanceof Uint8Array ? source : bytesOf(source), address);
  }

  /** Fills `target` with the bytes at `address`. */
  store(address: number, target: ArrayBufferView): void {
    const bytes = target instanceof Uint8Array ? target : bytesOf(target);
    bytes.set(this.#whole().subarray(address, address + target.byteLength));
  }

  /**
   * Growing detaches a view, which then has no bytes. It is made once, because making it, or asking a memory for its buffer,
   * would dominate small calls.
   */
  #whole(): Uint8Array {
    if (this.#view.length === 0) this.#view = new Uint8Array(this.#memory.buffer);
    return this.#view;
  }

  /** Bytes of the memory, in use or not. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Frees the memory if it has grown large; the next call makes a new one. Not inside a `scope`. */
  release(): void {
    if (this.#top !== this.#base || this.byteLength <= RETAINED_BYTES) return;
    // A wasm memory never shrinks, so the memory and the instances that hold it are dropped.
    this.#memory = newMemory();
    this.#byteLength = this.#memory.buffer.byteLength;
    this.#view = new Uint8Array(this.#memory.buffer);
    this.#instances.clear();
    this.#kept.clear();
    this.#generation += 1;
    this.#base = ALIGNMENT;
    this.#top = ALIGNMENT;
    clearInterval(this.#idle);
    this.#idle = undefined;
  }

  #end(mark: number): void {
    this.#top = Math.max(mark, this.#base);
    this.#used = true;
    if (this.byteLength > RETAINED_BYTES) this.#idle ??= this.#watch();
  }

  #watch(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      if (!this.#used) this.release();
      this.#used = false;
    }, this.#idleMs);
    // In Node, a timer is an object that can let the process end.
    if (typeof timer === 'object') timer.unref();
    return timer;
  }
}

function newMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MAX_PAGES });
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
