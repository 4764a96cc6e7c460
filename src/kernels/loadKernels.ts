import { loadOnce } from '../async/loadOnce.js';
import { check, checkOptions, having, listOf, oneOf, type Rule, type Rules } from '../checks/options.js';
import { UnsupportedError } from '../errors.js';
import type { CommonKernels, KernelSubject, Kernels, SubjectKernels } from './kernels.js';
import { inflateModule, type WasmSubject } from './runtime/module.js';
import { WasmRuntime } from './runtime/runtime.js';

/** Which implementation of the kernels is loaded. */
export interface KernelOptions {
  /** 'auto' (the default) takes wasm if the engine and its content security policy allow it, otherwise portable. */
  readonly implementation?: 'auto' | 'portable' | 'wasm' | undefined;
}

const RULES: Rules<KernelOptions> = { implementation: /* @__PURE__ */ oneOf(['auto', 'portable', 'wasm']) };

/**
 * The wasm kernels of each subject, imported on demand. A new subject is a folder, and a line here and in
 * `portableKernels.ts`.
 */
const WASM_SUBJECTS: { readonly [S in KernelSubject]: () => Promise<WasmSubject<SubjectKernels[S]>> } = {
  dct: () => import('./dct/wasm.js').then(({ wasmDct }) => wasmDct),
  embedded: () => import('./embedded/wasm.js').then(({ wasmEmbedded }) => wasmEmbedded),
  float: () => import('./float/wasm.js').then(({ wasmFloat }) => wasmFloat),
  gaussian: () => import('./gaussian/wasm.js').then(({ wasmGaussian }) => wasmGaussian),
  linear: () => import('./linear/wasm.js').then(({ wasmSum }) => wasmSum),
  lz4: () => import('./lz4/wasm.js').then(({ wasmLz4 }) => wasmLz4),
  lz4Encode: () => import('./lz4/wasm/encode.js').then(({ wasmLz4Encode }) => wasmLz4Encode),
  xxh3: () => import('./xxh3/wasm.js').then(({ wasmXxh3 }) => wasmXxh3),
  zstd: () => import('./zstd/wasm.js').then(({ wasmZstd }) => wasmZstd),
};

const ALL = Object.keys(WASM_SUBJECTS) as KernelSubject[];

/** Loads kernels on demand: in wasm those of each subject once, the portable ones all together. */
export class KernelLoader {
  /** One object for all callers, which grows by the subjects that are loaded. */
  readonly #wasm: CommonKernels = { implementation: 'wasm', release: () => this.#runtime?.release() };
  #portable: Kernels | undefined;
  /** Not made before a module has been compiled: an engine without WebAssembly has no memory for it. */
  #runtime: WasmRuntime | undefined;
  readonly #modules = new Map<string, WebAssembly.Module>();
  /** Why the engine refused a module. It would refuse the others, too. */
  #refusal: { readonly cause: unknown } | undefined;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #loaded = new Set<KernelSubject>();

  /** See {@link loadKernels}. */
  async load<S extends KernelSubject>(
    subjects: readonly S[] = ALL as S[],
    options: KernelOptions = {},
  ): Promise<Kernels<S>> {
    const { implementation = 'auto' } = checkOptions(options, RULES);
    check('subjects', subjects, listOf(oneOf(ALL)));
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
    const { portableKernels } = await import('./portableKernels.js');
    this.#portable = portableKernels;
    return portableKernels as CommonKernels as Kernels<S>;
  }

  /** The kernels of these subjects, in wasm or else portable, if they have been loaded. */
  loaded<S extends KernelSubject>(subjects: readonly S[] = ALL as S[]): Kernels<S> | undefined {
    const inWasm = subjects.every((subject) => this.#loaded.has(subject));
    return (inWasm ? this.#wasm : this.#portable) as Kernels<S> | undefined;
  }

  #loadWasm(subject: KernelSubject): Promise<void> {
    return loadOnce(this.#loading, subject, async () => {
      if (this.#refusal !== undefined) throw this.#refusal.cause;
      const { modules, needs = [], link } = await WASM_SUBJECTS[subject]();
      await Promise.all([
        ...Object.entries(modules).map(([name, text]) => this.#compile(name, text)),
        ...needs.map((other) => this.#loadWasm(other)),
      ]);
      Object.assign(
        this.#wasm,
        link(this.#runtime!, () => this.#portable),
      );
      this.#loaded.add(subject);
    });
  }

  #compile(name: string, text: string): Promise<void> {
    return loadOnce(this.#loading, `module ${name}`, async () => {
      try {
        this.#modules.set(name, await WebAssembly.compile(await inflateModule(text)));
        this.#runtime ??= new WasmRuntime(this.#modules);
        // WebKit compiles wasm that a content security policy forbids, and refuses only to instantiate it.
        this.#runtime.exports(name);
      } catch (cause) {
        this.#refusal = { cause };
        throw cause;
      }
    });
  }
}

/** Of options named `kernels`. */
export const KERNELS: Rule<CommonKernels> = /* @__PURE__ */ having(
  'release',
  'kernels, such as await loadKernels()',
);

/** Shared by the whole program. */
export const kernelLoader: KernelLoader = /* @__PURE__ */ new KernelLoader();

/**
 * Loads kernels of these subjects, or of all: wasm is compiled once and then shared by all callers.
 *
 * @example
 * const kernels = await loadKernels(['dct']);
 * kernels.dct2d(new Float32Array(12), 3, 4, new Float32Array(12));
 *
 * @throws UnsupportedError when wasm is requested and not available; ArgumentError for an unknown subject
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

/** `Array.isArray` does not narrow read-only arrays. */
function isList(value: readonly KernelSubject[] | KernelOptions): value is readonly KernelSubject[] {
  return Array.isArray(value);
}
