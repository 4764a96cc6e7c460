import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codesOf } from '../../../src/kernels/embedded/contexts.js';
import {
  codesAt,
  FIXED_CONTEXTS,
  FIXED_PLACES,
  fixedCodes,
  fixedPlaces,
} from '../../../src/kernels/embedded/fixedCodes.js';
import { anyCode, CODES, nonzeroCode, type PrefixCode } from '../../../src/kernels/embedded/prefixCodes.js';
import { type ContextRange, loadCodes, loadLookups } from '../../../src/kernels/embedded/wasm/codeTables.js';
import { WasmRuntime } from '../../../src/kernels/runtime/runtime.js';

const FIXED = { fixed: new Uint16Array(0), selection: new Uint8Array(0) };
/** Of the record of a context, u32. */
const FIELDS = 6;

test('tables of prefix codes are as large as their longest codes, and full', () => {
  let smaller = 0;
  for (const codeOf of [anyCode, nonzeroCode]) {
    for (let index = 0; index < CODES; index++) {
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
    checkRecords(runtime, [10, 30]);
  });
  const first = runtime.scope(() => checkRecords(runtime, [10, 20]));
  assert.is(
    runtime.scope(() => checkRecords(runtime, [0, 40])),
    first,
  );
  runtime.scope(() => {
    runtime.allocate(8);
    checkRecords(runtime, [40, 60]);
  });
  runtime.scope(() => runtime.bytes(runtime.allocate(2 ** 20), 2 ** 20).fill(1));
  assert.is(
    runtime.scope(() => checkRecords(runtime, undefined)),
    first,
  );
  runtime.scope(() => runtime.allocate(2 ** 23));
  runtime.release();
  runtime.scope(() => checkRecords(runtime, [10, 20]));
});

test('kernels encode by the codes of each coding, also once what was kept has been dropped', () => {
  const runtime = new WasmRuntime(new Map());
  const selected = { fixed: undefined, selection: Uint8Array.of(0x21, 3, 0x45, 0xff, 0x67) };
  const replaced = { fixed: Uint16Array.of(CODES * 100 + 5), selection: new Uint8Array(0) };
  const codings = [FIXED, selected, replaced, FIXED];
  const check = () => {
    const addresses = loadCodes(runtime, codings);
    assert.is(addresses[0], addresses[3]);
    codings.forEach((coding, i) => {
      codesOf(coding).forEach((codes, context) => {
        if (codes === undefined) return;
        const expected = [codes.bytes?.mask, codes.bytes?.byte, codes.batch];
        const record = runtime.words(addresses[i]! + 12 * context, 3).slice();
        expected.forEach((code, field) => {
          const address = record[field]!;
          assert.equal(address && runtime.words(address, 256).slice(), code?.entries ?? 0);
        });
      });
    });
  };
  const overwrite = () => runtime.bytes(runtime.allocate(2 ** 23), 2 ** 23).fill(1);
  for (let round = 0; round < 2; round++) {
    runtime.scope(check);
    runtime.scope(overwrite);
    runtime.scope(check);
    runtime.release();
    // Tables are elsewhere then.
    runtime.scope(() => loadCodes(runtime, [selected]));
  }
});

test('each letter of the table belongs to one context, and replacing it changes the code there alone', () => {
  const before = fixedCodes(new Uint16Array(0));
  const owners = new Map<number, number>();
  for (let context = 0; context < FIXED_CONTEXTS; context++) {
    for (const place of fixedPlaces(context)) {
      if (place === undefined) continue;
      assert.not(owners.has(place));
      owners.set(place, context);
    }
  }
  assert.is(owners.size, FIXED_PLACES);
  for (const [place, owner] of owners) {
    const code = 31 - (place % 7);
    const after = fixedCodes(Uint16Array.of(CODES * place + code));
    after.forEach((codes, context) => {
      if (context !== owner) {
        assert.is(codes, before[context]);
        return;
      }
      const [batch, mask, byte] = fixedPlaces(context);
      const expected = (at: number | undefined, own: PrefixCode | undefined) =>
        at === place ? codesAt(place)(code) : own;
      assert.is(codes.batch, expected(batch, before[context]!.batch));
      assert.is(codes.bytes!.mask, expected(mask, before[context]!.bytes!.mask));
      assert.is(codes.bytes!.byte, expected(byte, before[context]!.bytes!.byte));
    });
  }
});

test('records with replaced codes are a copy, and leave those that stay as they are', () => {
  const runtime = new WasmRuntime(new Map());
  const kept = runtime.scope(() => checkRecords(runtime, [0, 30]));
  // Batches and bytes of class 0, bytes of groups that are dense since the plane before.
  const replaced = [1, 2 * 24 + 2, 11 * 24 + 1].map((place) => CODES * place + 25);
  const coding = { ...FIXED, fixed: Uint16Array.from(replaced) };
  runtime.scope(() => assert.is.not(checkRecords(runtime, [10, 30], coding), kept));
  runtime.scope(() => assert.is(checkRecords(runtime, [40, 60], coding), kept));
  runtime.scope(() => {
    runtime.allocate(8);
    checkRecords(runtime, [0, 30], coding);
  });
  assert.is(
    runtime.scope(() => checkRecords(runtime, [0, 30])),
    kept,
  );
});

/** Loads these contexts, and compares their tables; returns the address of the first record. */
function checkRecords(runtime: WasmRuntime, range: ContextRange | undefined, coding = FIXED): number {
  const codes = codesOf(coding);
  const address = loadLookups(runtime, coding, range);
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
