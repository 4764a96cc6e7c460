import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../../../src/errors.js';
import { KernelLoader, type KernelOptions, loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { syncKernels } from '../../../src/kernels/syncKernels.js';
import { rejects } from '../../helpers/assertions.js';

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
  const loader = new KernelLoader();
  const load = (options?: KernelOptions) => loader.load(undefined, options);
  assert.is((await load()).implementation, 'portable');
  assert.is((await load({ implementation: 'auto' })).implementation, 'portable');
  const error = await load({ implementation: 'wasm' }).catch((thrown: unknown) => thrown);
  assert.is((error as Error).name, 'UnsupportedError');
  assert.ok((error as Error).cause instanceof Error);
}

test('synchronous callers get what has been loaded before', async () => {
  const loader = new KernelLoader();
  assert.is(syncKernels(loader), portableKernels);
  const portable = await loader.load(undefined, { implementation: 'portable' });
  assert.is(syncKernels(loader), portable);
  const some = await loader.load(['dct', 'lz4']);
  assert.is(syncKernels(loader), portable, 'not while kernels of a subject are missing');
  assert.is(loader.loaded(['lz4', 'dct']), some);
  assert.is(await loader.load(), syncKernels(loader));
  assert.is(syncKernels(loader).implementation, 'wasm');
});

test('takes wasm where it can, once for all callers', async () => {
  const kernels = await loadKernels();
  assert.is(kernels.implementation, 'wasm');
  assert.is(await loadKernels({ implementation: 'wasm' }), kernels);
});

test('portable when asked', async () => {
  const { release, ...loaded } = await new KernelLoader().load(undefined, { implementation: 'portable' });
  const { release: _, ...portable } = portableKernels;
  assert.equal(loaded, portable);
  assert.is((await loadKernels({ implementation: 'portable' })).xxh3, portableKernels.xxh3);
});

test('loads the subjects that are asked for and what these need', async () => {
  const loader = new KernelLoader();
  const compiled: unknown[] = [];
  const { compile } = WebAssembly;
  await withProperty(
    WebAssembly,
    'compile',
    async (bytes: ArrayBuffer) => {
      compiled.push(bytes.byteLength);
      return compile(bytes);
    },
    async () => {
      const block = portableKernels.lz4Compress(Uint8Array.of(1, 2, 3));
      const { lz4DecompressInto } = await loader.load(['lz4'], { implementation: 'wasm' });
      let checked: bigint | undefined;
      lz4DecompressInto(block, new Uint8Array(3), (xxh3) => {
        checked = xxh3;
      });
      assert.is(checked, portableKernels.xxh3(block));
      assert.is(compiled.length, 2, 'lz4, and the checksum that it computes in place');
      assert.equal(Object.keys(await loader.load(['lz4'])).sort(), [
        'hashing',
        'implementation',
        'lz4DecompressInto',
        'release',
        'xxh3',
      ]);
      await loader.load(['xxh3', 'lz4']);
      assert.is(compiled.length, 2, 'each module once');
      assert.is(loader.loaded(['xxh3', 'zstd']), undefined);
    },
  );
});

test('an engine that has refused one module is not asked again', async () => {
  const loader = new KernelLoader();
  let asked = 0;
  await withProperty(
    WebAssembly,
    'compile',
    async () => {
      asked += 1;
      throw new WebAssembly.CompileError('refused');
    },
    async () => {
      assert.is((await loader.load(['xxh3'])).implementation, 'portable');
      assert.is((await loader.load(['zstd', 'float'])).implementation, 'portable');
    },
  );
  assert.is(asked, 1);
});

test('names subjects that there are when asked for another', async () => {
  const error = await rejects(loadKernels(['lz5' as 'lz4']), ArgumentError, /value of subjects: .*zstd.*lz5/);
  assert.equal(error.actual, ['lz5']);
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

test('falls back where a content policy refuses no more than to instantiate the module, as in WebKit', () =>
  withProperty(
    WebAssembly,
    'Instance',
    class {
      constructor() {
        throw new WebAssembly.CompileError('refused');
      }
    },
    fallsBack,
  ));

test.run();
