import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LimitError } from '../../../src/errors.js';
import { portableLz4 } from '../../../src/kernels/lz4/portable.js';
import { wasmLz4Encode } from '../../../src/kernels/lz4/wasm/encode.js';
import { wasmLz4 } from '../../../src/kernels/lz4/wasm.js';
import { WasmRuntime } from '../../../src/kernels/runtime/runtime.js';
import { portableZstd } from '../../../src/kernels/zstd/portable.js';
import { wasmZstd } from '../../../src/kernels/zstd/wasm.js';
import { throws } from '../../helpers/assertions.js';
import { until } from '../../helpers/streams.js';

const MIB = 1 << 20;

const empty = () => new WasmRuntime(new Map());

test('allocations are aligned, do not overlap and end with their scope', () => {
  const runtime = empty();
  const first = runtime.scope(() => {
    const a = runtime.allocate(1);
    const b = runtime.allocate(65);
    assert.is(a % 64, 0);
    assert.is(b, a + 64);
    runtime.scope(() => assert.is(runtime.allocate(10), b + 128));
    assert.is(runtime.allocate(10), b + 128);
    return a;
  });
  assert.is(
    runtime.scope(() => runtime.allocate(100)),
    first,
  );
});

test('constants are kept between calls, and copied where something else is allocated', () => {
  const runtime = empty();
  const table = Uint8Array.of(1, 2, 3);
  const other = Uint8Array.of(4, 5);
  let prepared = 0;
  const keep = () =>
    runtime.keep(table, (address) => {
      prepared += 1;
      runtime.bytes(address, 1)[0] = 9;
    });
  const address = runtime.scope(keep);
  runtime.scope(() => {
    assert.ok(runtime.keeps);
    const above = runtime.allocate(8);
    assert.is(runtime.keeps, false);
    assert.ok(above > address);
    assert.is(keep(), address);
    assert.equal(runtime.bytes(address, 3), Uint8Array.of(9, 2, 3));
    assert.is.not(runtime.keep(other), runtime.keep(other), 'above something that ends');
  });
  assert.is(runtime.scope(keep), address);
  assert.is(prepared, 1);
  const kept = runtime.scope(() => runtime.keep(other));
  assert.is(
    runtime.scope(() => runtime.keep(other)),
    kept,
  );
  runtime.scope(() => runtime.allocate(8 * MIB));
  runtime.release();
  runtime.scope(keep);
  assert.is(prepared, 2, 'gone with the memory');
});

test('a scope that throws gives its memory back', () => {
  const runtime = empty();
  const first = runtime.scope(() => runtime.allocate(8));
  throws(
    () =>
      runtime.scope(() => {
        runtime.allocate(8);
        throw new RangeError('work');
      }),
    RangeError,
  );
  assert.is(
    runtime.scope(() => runtime.allocate(8)),
    first,
  );
});

test('grows, carries bytes in and out from any place, and gives grown memory back', () => {
  const runtime = empty();
  const small = runtime.byteLength;
  runtime.scope(() => {
    const at = runtime.allocate(8 * MIB);
    const source = Uint8Array.from({ length: 1001 }, (_, i) => i);
    runtime.load(source.subarray(1), at + 7 * MIB + 3);
    const target = new Uint8Array(1002);
    runtime.store(at + 7 * MIB + 3, target.subarray(1, 1001));
    assert.equal(target, Uint8Array.of(0, ...source.subarray(1), 0));
    assert.ok(runtime.byteLength > 8 * MIB);
    runtime.release();
    assert.ok(runtime.byteLength > 8 * MIB, 'not while in use');
  });
  runtime.release();
  assert.is(runtime.byteLength, small);
});

test('memory that has grown and is not used goes back by itself', async () => {
  const runtime = new WasmRuntime(new Map(), 5);
  const small = runtime.byteLength;
  runtime.scope(() => runtime.allocate(8 * MIB));
  assert.ok(runtime.byteLength > 8 * MIB);
  await until(() => runtime.byteLength === small);
  assert.is(runtime.byteLength, small);
});

test('steps have a memory of their own, which serves the next steps and goes back by itself', async () => {
  const runtime = new WasmRuntime(new Map(), 5);
  const used: WasmRuntime[] = [];
  const steps = () =>
    runtime.apart(function* (own) {
      used.push(own);
      const at = own.allocate(8 * MIB);
      yield;
      return at;
    });
  const [a, b] = [steps(), steps()];
  a.next();
  b.next();
  const [first, second] = used as [WasmRuntime, WasmRuntime];
  assert.is(new Set([runtime, first, second]).size, 3, 'two at a time are apart from each other, too');
  const { value } = a.next();
  const again = steps();
  again.next();
  assert.is(used[2], first);
  assert.is(again.next().value, value, 'the allocations of the steps before have ended');
  b.return(0);
  const abandoned = steps();
  abandoned.next();
  assert.is(used[3], second, 'steps that are left give it back');
  abandoned.return(0);
  await until(() => first.byteLength + second.byteLength <= MIB);
  assert.ok(first.byteLength + second.byteLength <= MIB);
});

test('refuses more than a wasm memory can have', () => {
  const runtime = empty();
  runtime.scope(() => throws(() => runtime.allocate(2 ** 32), LimitError, /memory is full/));
  runtime.scope(() => assert.type(runtime.allocate(MIB), 'number'));
});

test('codecs take the portable path for what no wasm memory holds', () => {
  const full = empty();
  full.allocate = () => {
    throw new LimitError('wasm memory is full');
  };
  const data = Uint8Array.from({ length: 300 }, (_, i) => i % 7);
  const { lz4DecompressInto } = wasmLz4.link(full, () => portableLz4);
  const { lz4Compress } = wasmLz4Encode.link(full, () => undefined);
  const out = new Uint8Array(300);
  lz4DecompressInto(lz4Compress(data), out);
  assert.equal(out, data);
  // One raw block, marked as the last.
  wasmZstd
    .link(full, () => portableZstd)
    .zstdDecompressInto(Uint8Array.of((3 << 3) | 1, 0, 0, 7, 8, 9), 0, out.subarray(0, 3), 2 ** 17);
  assert.equal([...out.subarray(0, 3)], [7, 8, 9]);
});

test('without portable kernels, a memory that is full says so', () => {
  const full = empty();
  full.allocate = () => {
    throw new LimitError('wasm memory is full');
  };
  const { zstdDecompressInto } = wasmZstd.link(full, () => undefined);
  const block = Uint8Array.of((3 << 3) | 1, 0, 0, 7, 8, 9);
  throws(() => zstdDecompressInto(block, 0, new Uint8Array(3), 2 ** 17), LimitError, /memory is full/);
  const { lz4DecompressInto } = wasmLz4.link(full, () => undefined);
  throws(() => lz4DecompressInto(Uint8Array.of(0), new Uint8Array(0)), LimitError, /memory is full/);
});

test.run();
