import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portable/index.js';

/** A copy of the module that has loaded nothing yet. */
async function freshLoader(): Promise<typeof loadKernels> {
  const url = new URL(`../../../src/kernels/loadKernels.ts?fresh=${Math.random()}`, import.meta.url).href;
  const module: { loadKernels: typeof loadKernels } = await import(url);
  return module.loadKernels;
}

/** Runs `work` while a property of `target` is another one. */
async function withProperty<T extends object>(
  target: T,
  key: keyof T,
  value: unknown,
  work: () => Promise<void>,
): Promise<void> {
  const before = Object.getOwnPropertyDescriptor(target, key)!;
  Object.defineProperty(target, key, { ...before, value });
  try {
    await work();
  } finally {
    Object.defineProperty(target, key, before);
  }
}

async function fallsBack(): Promise<void> {
  const load = await freshLoader();
  assert.is((await load()).implementation, 'portable');
  assert.is((await load({ implementation: 'auto' })).implementation, 'portable');
  const error = await load({ implementation: 'wasm' }).catch((thrown: unknown) => thrown);
  assert.is((error as Error).name, 'UnsupportedError');
  assert.ok((error as Error).cause instanceof Error);
}

test('takes wasm where it can, once for all callers', async () => {
  const kernels = await loadKernels();
  assert.is(kernels.implementation, 'wasm');
  assert.is(await loadKernels({ implementation: 'wasm' }), kernels);
});

test('portable when asked', async () => {
  assert.is(await loadKernels({ implementation: 'portable' }), portableKernels);
});

test('falls back where there is no WebAssembly', () =>
  withProperty(globalThis, 'WebAssembly', undefined, fallsBack));

test('falls back where a content policy or the lack of SIMD refuses the module', () =>
  withProperty(
    WebAssembly,
    'compile',
    async () => {
      throw new WebAssembly.CompileError('refused');
    },
    fallsBack,
  ));

test.run();
