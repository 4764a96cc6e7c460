import { ArgumentError, UnsupportedError } from '../errors.js';
import type { CommonKernels, KernelSubject, Kernels, SubjectKernels } from './kernels.js';
import { inflateModule, type WasmSubject } from './runtime/module.js';
import { WasmRuntime } from './runtime/runtime.js';

export interface KernelOptions {
  /** 'auto' (the default) takes wasm where the engine and its content policy allow it, else portable. */
  readonly implementation?: 'auto' | 'portable' | 'wasm' | undefined;
}

/** Both implementations of each subject, loaded on demand. A new subject is a folder and a line here. */
const SUBJECTS: {
  readonly [S in KernelSubject]: {
    portable(): Promise<SubjectKernels[S]>;
    wasm(): Promise<WasmSubject<SubjectKernels[S]>>;
  };
} = {
  dct: {
    portable: () => import('./dct/portable.js').then(({ portableDct }) => portableDct),
    wasm: () => import('./dct/wasm.js').then(({ wasmDct }) => wasmDct),
  },
  embedded: {
    portable: () => import('./embedded/portable.js').then(({ portableEmbedded }) => portableEmbedded),
    wasm: () => import('./embedded/wasm.js').then(({ wasmEmbedded }) => wasmEmbedded),
  },
  float: {
    portable: () => import('./float/portable.js').then(({ portableFloat }) => portableFloat),
    wasm: () => import('./float/wasm.js').then(({ wasmFloat }) => wasmFloat),
  },
  gaussian: {
    portable: () => import('./gaussian/portable.js').then(({ portableGaussian }) => portableGaussian),
    wasm: () => import('./gaussian/wasm.js').then(({ wasmGaussian }) => wasmGaussian),
  },
  linear: {
    portable: () => import('./linear/portable.js').then(({ portableSum }) => portableSum),
    wasm: () => import('./linear/wasm.js').then(({ wasmSum }) => wasmSum),
  },
  lz4: {
    portable: () => import('./lz4/portable.js').then(({ portableLz4 }) => portableLz4),
    wasm: () => import('./lz4/wasm.js').then(({ wasmLz4 }) => wasmLz4),
  },
  xxh3: {
    portable: () => import('./xxh3/portable.js').then(({ portableXxh3 }) => portableXxh3),
    wasm: () => import('./xxh3/wasm.js').then(({ wasmXxh3 }) => wasmXxh3),
  },
  zstd: {
    portable: () => import('./zstd/portable.js').then(({ portableZstd }) => portableZstd),
    wasm: () => import('./zstd/wasm.js').then(({ wasmZstd }) => wasmZstd),
  },
};

const ALL = Object.keys(SUBJECTS) as KernelSubject[];

/** Loads kernels on demand, those of each subject and implementation once. */
export class KernelLoader {
  /** One object for all callers, which grows by the subjects that are loaded. */
  readonly #portable: CommonKernels = { implementation: 'portable', release() {} };
  readonly #wasm: CommonKernels = { implementation: 'wasm', release: () => this.#runtime?.release() };
  /** Not made before a module has been compiled: an engine without WebAssembly has no memory for it. */
  #runtime: WasmRuntime | undefined;
  readonly #modules = new Map<string, WebAssembly.Module>();
  /** Why the engine refused a module; it would refuse the others, too. */
  #refusal: { readonly cause: unknown } | undefined;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #loaded = new Set<string>();

  /** See {@link loadKernels}. */
  async load<S extends KernelSubject>(
    subjects: readonly S[] = ALL as S[],
    { implementation = 'auto' }: KernelOptions = {},
  ): Promise<Kernels<S>> {
    const unknown = subjects.find((subject) => !Object.hasOwn(SUBJECTS, subject));
    if (unknown !== undefined) {
      throw new ArgumentError('Cannot load the kernels: no such subject', { expected: ALL, actual: unknown });
    }
    if (implementation !== 'portable') {
      try {
        await Promise.all(subjects.map((subject) => this.#loadWasm(subject)));
        return this.#wasm as Kernels<S>;
      } catch (cause) {
        if (implementation === 'wasm') {
          throw new UnsupportedError('Cannot load the wasm kernels', { cause });
        }
      }
    }
    await Promise.all(subjects.map((subject) => this.#loadPortable(subject)));
    return this.#portable as Kernels<S>;
  }

  /** The kernels of these subjects, in wasm or else portable, if all of them have been loaded. */
  loaded<S extends KernelSubject>(subjects: readonly S[] = ALL as S[]): Kernels<S> | undefined {
    const kernels = [this.#wasm, this.#portable].find(({ implementation }) =>
      subjects.every((subject) => this.#loaded.has(`${implementation} ${subject}`)),
    );
    return kernels as Kernels<S> | undefined;
  }

  #loadPortable(subject: KernelSubject): Promise<void> {
    return this.#once(`portable ${subject}`, async () => {
      Object.assign(this.#portable, await SUBJECTS[subject].portable());
    });
  }

  #loadWasm(subject: KernelSubject): Promise<void> {
    return this.#once(`wasm ${subject}`, async () => {
      if (this.#refusal !== undefined) throw this.#refusal.cause;
      const { modules, link } = await SUBJECTS[subject].wasm();
      await Promise.all(Object.entries(modules).map(([name, text]) => this.#compile(name, text)));
      Object.assign(this.#wasm, link(this.#runtime!));
    });
  }

  #compile(name: string, text: string): Promise<void> {
    return this.#once(name, async () => {
      try {
        this.#modules.set(name, await WebAssembly.compile(await inflateModule(text)));
        this.#runtime ??= new WasmRuntime(this.#modules);
        // WebKit compiles what a content policy forbids, and refuses only to instantiate it.
        this.#runtime.exports(name);
      } catch (cause) {
        this.#refusal = { cause };
        throw cause;
      }
    });
  }

  /** A failure is forgotten: a chunk that could not be fetched may be there at the next call. */
  #once(key: string, work: () => Promise<void>): Promise<void> {
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = work().then(() => void this.#loaded.add(key));
      this.#loading.set(key, loading);
      loading.catch(() => this.#loading.delete(key));
    }
    return loading;
  }
}

/** What the whole program shares. */
export const kernelLoader: KernelLoader = /* @__PURE__ */ new KernelLoader();

/**
 * Loads kernels of these subjects, or of all: wasm is compiled once and then shared by all callers.
 *
 * @example
 * const kernels = await loadKernels(['dct']);
 * kernels.dct2d(new Float32Array(12), 3, 4, new Float32Array(12));
 *
 * @throws UnsupportedError when wasm is demanded and not available; ArgumentError for an unknown subject
 */
export function loadKernels<S extends KernelSubject>(
  subjects: readonly S[],
  options?: KernelOptions,
): Promise<Kernels<S>>;
export function loadKernels(options?: KernelOptions): Promise<Kernels>;
export function loadKernels(
  subjects: readonly KernelSubject[] | KernelOptions = ALL,
  options?: KernelOptions,
): Promise<Kernels> {
  return isList(subjects) ? kernelLoader.load(subjects, options) : kernelLoader.load(ALL, subjects);
}

/** `Array.isArray` does not tell the type checker of read-only arrays. */
function isList(value: readonly KernelSubject[] | KernelOptions): value is readonly KernelSubject[] {
  return Array.isArray(value);
}
