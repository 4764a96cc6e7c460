import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inPlace } from '../../../src/errors/placed.js';
import { quote, show, withoutSecrets } from '../../../src/errors/show.js';
import * as errors from '../../../src/errors.js';
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
  [2n ** 244n, `0x001${'0'.repeat(61)}`],
  [2n ** 256n - 1n, `0x${'f'.repeat(64)}`],
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

const URLS: readonly (readonly [string, string])[] = [
  ['https://hub.example/m.bin?token=secret', 'https://hub.example/m.bin?…'],
  ['see https://me:secret@hub.example:80/p#secret now', 'see https://…@hub.example:80/p#… now'],
  ['https://secret@hub.example/x', 'https://…@hub.example/x'],
  ['redis://:secret@127.0.0.1:6379/0', 'redis://…@127.0.0.1:6379/0'],
  // Not escaped, as they should be.
  ['https://me:sec/ret@hub.example/x', 'https://…@hub.example/x'],
  ['https://me:sec?ret@hub.example', 'https://…@hub.example'],
  ['https://me:80secret@hub.example', 'https://…@hub.example'],
  // Neither a user nor a query.
  ['https://cdn.example:8080/npm/pkg@1.2:3/x', 'https://cdn.example:8080/npm/pkg@1.2:3/x'],
  ['https://cdn.example:8080', 'https://cdn.example:8080'],
  ['https://cdn.example:80?a=b@c', 'https://cdn.example:80?…'],
  ['hf:org/model@v1', 'hf:org/model@v1'],
  ['what? a@b', 'what? a@b'],
];

test('of URLs, neither queries nor names of users are shown', () => {
  for (const [text, expected] of URLS) assert.is(show(text), expected);
  // Cut in the middle, what is left of the end would be a part of the query.
  assert.is(show(`https://hub.example/m?${'secret'.repeat(5000)}`), 'https://hub.example/m?…');
  assert.is(show(['https://h/?secret']), '[https://h/?…]');
  assert.is(quote('https://h/?secret'), '"https://h/?…"');
});

test('no error has secrets of URLs, in whatever is logged of it', () => {
  const url = 'https://me:secret@hub.example/m.bin?signature=secret#secret';
  const details = { file: url, name: url, tensor: 't', expected: url, actual: url };
  for (const Class of Object.values(errors)) {
    const error = new Class(`Cannot read ${quote(url)}`, details);
    const placed = inPlace(new Class('Cannot read it', { actual: url }), { file: url, tensor: 't' });
    for (const one of [error, placed]) {
      assert.not.match(inspect(one, { depth: 9, showHidden: true }), 'secret', Class.name);
    }
    assert.is(error.file, 'https://…@hub.example/m.bin?…');
  }
});

test('looking for URLs takes a time that is linear in the text', () => {
  // Quadratic, it would take minutes.
  for (const part of ['a.', 'a://', 'a://b:', 'https://x?', 'a b:']) withoutSecrets(part.repeat(500_000));
});

test.run();
