import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codesOf } from '../../../src/kernels/embedded/contexts.js';
import { anyCode, nonzeroCode, type PrefixCode } from '../../../src/kernels/embedded/prefixCodes.js';
import { type ContextRange, loadLookups } from '../../../src/kernels/embedded/wasm/memory.js';
import { WasmRuntime } from '../../../src/kernels/runtime/runtime.js';

const FIXED = { fixed: true, selection: new Uint8Array(0) };
/** Of the record of a context, u32. */
const FIELDS = 6;

test('tables of prefix codes are as large as their longest codes, and full', () => {
  let smaller = 0;
  for (const codeOf of [anyCode, nonzeroCode]) {
    for (let index = 0; index < 24; index++) {
      const { entries, lookup } = codeOf(index);
      const longest = entries.reduce((most, entry) => Math.max(most, entry >>> 24), 0);
      assert.is(lookup.length, 2 ** longest);
      assert.ok(lookup.every((entry) => (entry & 0xff) > 0));
      if (longest < 12) smaller += 1;
    }
  }
  assert.ok(smaller > 10, `${smaller}`);
});

test('records of fixed codes stay with their tables, and gain those of contexts that are needed later', () => {
  const runtime = new WasmRuntime(new Map());
  runtime.scope(() => {
    runtime.allocate(8);
    // What is loaded above something else ends with it.
    checkRecords(runtime, [7, 21]);
  });
  const first = runtime.scope(() => checkRecords(runtime, [7, 14]));
  assert.is(
    runtime.scope(() => checkRecords(runtime, [0, 28])),
    first,
  );
  runtime.scope(() => {
    runtime.allocate(8);
    checkRecords(runtime, [28, 42]);
  });
  runtime.scope(() => runtime.bytes(runtime.allocate(2 ** 20), 2 ** 20).fill(1));
  assert.is(
    runtime.scope(() => checkRecords(runtime, undefined)),
    first,
  );
  runtime.scope(() => runtime.allocate(2 ** 23));
  runtime.release();
  runtime.scope(() => checkRecords(runtime, [7, 14]));
});

/** Loads these contexts, and compares their tables; returns the address of the first record. */
function checkRecords(runtime: WasmRuntime, range: ContextRange | undefined): number {
  const codes = codesOf(FIXED);
  const address = loadLookups(runtime, FIXED, range);
  const [first, end] = range ?? [0, codes.length];
  for (let context = first; context < end; context++) {
    const record = runtime.words(address + 4 * FIELDS * context, FIELDS);
    const { bytes, batch } = codes[context]!;
    [bytes?.mask, bytes?.byte, batch].forEach((code, k) => {
      checkTable(runtime, code, record[k]!, record[k + 3]!);
    });
  }
  return address;
}

function checkTable(runtime: WasmRuntime, code: PrefixCode | undefined, address: number, places: number) {
  if (code === undefined) {
    assert.equal([address, places], [0, 0]);
    return;
  }
  const bytes = runtime.bytes(address, code.lookup.byteLength);
  assert.equal(new Uint16Array(bytes.slice().buffer), code.lookup);
  assert.is(places, code.lookup.byteLength - 2);
}

test.run();
