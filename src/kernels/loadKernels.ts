import { UnsupportedError } from '../errors.js';
import type { Kernels } from './kernels.js';
import { portableKernels } from './portableKernels.js';
import { createWasmKernels } from './wasmKernels.js';

export interface KernelOptions {
  /** 'auto' (the default) takes wasm where the engine and its content policy allow it, else portable. */
  readonly implementation?: 'auto' | 'portable' | 'wasm' | undefined;
}

let wasm: Promise<Kernels> | undefined;
let atHand: Kernels = portableKernels;

/**
 * The kernels; wasm is compiled once and then shared by all callers.
 * @throws UnsupportedError when wasm is demanded and not to be had
 */
export async function loadKernels({ implementation = 'auto' }: KernelOptions = {}): Promise<Kernels> {
  if (implementation === 'portable') return portableKernels;
  wasm ??= createWasmKernels();
  try {
    atHand = await wasm;
    return atHand;
  } catch (cause) {
    if (implementation === 'auto') return portableKernels;
    throw new UnsupportedError('wasm kernels cannot be loaded here', { cause });
  }
}

/** For synchronous callers: the wasm kernels once a call of {@link loadKernels} has loaded them, else the portable. */
export function loadedKernels(): Kernels {
  return atHand;
}
