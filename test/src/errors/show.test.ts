import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { quote, show } from '../../../src/errors/show.js';
import { FormatError } from '../../../src/errors.js';

/** As deep as JSON can be that a parser still takes. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

const withoutTag = {
  get [Symbol.toStringTag](): string {
    throw new Error('not for you');
  },
};

const HOSTILE: readonly (readonly [unknown, string])[] = [
  [{ toString: 1 }, 'an object'],
  [JSON.parse('{"toString":1,"valueOf":null}'), 'an object'],
  [Object.create(null), 'an object'],
  [nested(15_000), '[an array]'],
  [[{ toString: 1 }, null, [1]], '[an object, null, an array]'],
  [Array.from({ length: 130_000 }, () => 1), `[${'1, '.repeat(16)}… (130000 in all)]`],
  ['\u001b[31mred\u0007', '\\u{1b}[31mred\\u{7}'],
  ['two\nlines', 'two\\nlines'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['\ud800', '\\u{d800}'],
  ['ab'.repeat(200), `${'ab'.repeat(50)}…${'ab'.repeat(50)}`],
  [0x1fn, '0x000000000000001f'],
  [Symbol('s'), 'Symbol(s)'],
  [() => 1, 'a function'],
  [Promise.resolve(), 'a Promise'],
  [new Float32Array(2), 'a Float32Array of length 2'],
  [new ArrayBuffer(2), 'an ArrayBuffer'],
  [{ [Symbol.toStringTag]: '\n' }, 'a \\n'],
  [withoutTag, 'an object'],
  [undefined, 'undefined'],
  [[3, 4], '[3, 4]'],
  ['0 (LZ4) or 1 (Zstd)', '0 (LZ4) or 1 (Zstd)'],
];

test('hostile values are shown escaped and cut short', () => {
  for (const [value, expected] of HOSTILE) {
    assert.is(show(value), expected);
    assert.is(
      new FormatError('Cannot read x', { actual: value }).message,
      value === undefined ? 'Cannot read x' : `Cannot read x: got ${expected}`,
    );
  }
  assert.is(quote('fc1.weight'), '"fc1.weight"');
  assert.is(quote('\u001b]0;title\u0007'), '"\\u{1b}]0;title\\u{7}"');
  assert.is(new FormatError('Cannot read x', { name: 'a\nb' }).message, 'Cannot read x (a\\nb)');
});

test('showing any value gives one short line', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withNullPrototype: true, withObjectString: true }),
      (value) => {
        for (const text of [show(value), quote(value)]) {
          assert.ok(text.length < 6000);
          assert.not.match(text, /[\p{Cc}\p{Zl}\p{Zp}]/u);
        }
      },
    ),
  );
});

test.run();
