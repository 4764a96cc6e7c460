import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';

/** A copy of the module that has loaded nothing yet. */
function freshModule(): Promise<typeof import('../../../src/kernels/loadKernels.js')> {
  return import(new URL(`../../../src/kernels/loadKernels.ts?fresh=${Math.random()}`, import.meta.url).href);
}

async function freshLoader(): Promise<typeof loadKernels> {
  return (await freshModule()).loadKernels;
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

test('synchronous callers get what has been loaded before', async () => {
  const { loadedKernels, loadKernels } = await freshModule();
  assert.is(loadedKernels(), portableKernels);
  await loadKernels({ implementation: 'portable' });
  assert.is(loadedKernels(), portableKernels);
  assert.is(await loadKernels(), loadedKernels());
  assert.is(loadedKernels().implementation, 'wasm');
});

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
