import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeText, parseJson } from '../../../src/bytes/json.js';
import { FormatError, LimitError } from '../../../src/errors.js';
import { throws } from '../../helpers/assertions.js';

const test = suite('JSON from outside');

const parse = (json: Uint8Array | string) => parseJson(json, 'Cannot read the list', 2 ** 24, 'list.json');
const utf8 = (text: string) => new TextEncoder().encode(text);

test('what JSON.parse gives, from text or bytes, with or without a byte order mark', () => {
  for (const value of [null, 1, 'ä"\\[', [], {}, { a: [1, { b: '}]{[' }] }]) {
    const text = JSON.stringify(value);
    for (const json of [text, utf8(text), `\ufeff${text}`, utf8(`\ufeff${text}`)]) {
      assert.equal(parse(json), value);
    }
  }
});

test('brackets in strings do not count as nested', () => {
  for (const text of ['['.repeat(1000), '\\'.repeat(7), `"${'{'.repeat(1000)}`, '\\"[[['.repeat(200)]) {
    assert.equal(parse(JSON.stringify([text, { [text]: 1 }])), [text, { [text]: 1 }]);
  }
});

test('what is nested deeply, has many parts, or is long is refused before it is parsed', () => {
  const nested = (open: string, depth: number, close: string) =>
    `${open.repeat(depth)}1${close.repeat(depth)}`;
  assert.is(JSON.stringify(parse(nested('[', 64, ']'))), nested('[', 64, ']'));
  for (const [text, depth] of [
    [nested('[', 65, ']'), 65],
    [nested('{"a":', 65, '}'), 65],
    [nested('[', 15_000, ']'), 15_000],
    [nested('[{"a":', 100_000, '}]'), 200_000],
  ] as const) {
    const error = throws(
      () => parse(text),
      LimitError,
      /^Cannot read the list: it is nested too deeply \(list/,
    );
    assert.is(error.actual, depth);
  }
  const many = `[${'{},'.repeat(2 ** 20)}1]`;
  throws(() => parse(many), LimitError, /too many parts .*at most 1048576.*got 1048577/);
  throws(() => parse(' '.repeat(2 ** 24 + 1)), LimitError, /too long .*at most 16777216 bytes/);
});

test('strings that are not Unicode, in names and values; whole characters as escapes are', () => {
  for (const text of [
    '"\\ud800"',
    '{"\\uDFff":1}',
    '[{"a":["x\\ud83d\\ud83d\\ude00"]}]',
    '{"a":1,"b":"\\udbff."}',
  ]) {
    throws(() => parse(text), FormatError, /^Cannot read the list: a string is not Unicode \(list\.json\)$/);
  }
  assert.equal(parse('{"\\ud83d\\ude00":["\\\\ud800"]}'), { '\u{1f600}': ['\\ud800'] });
});

test('what is neither UTF-8 nor JSON', () => {
  for (const text of ['', '{', ']', '[1]]', '"', '"\\', '[1,]', 'NaN', '\ufeff\ufeff1', ']'.repeat(100)]) {
    throws(() => parse(text), FormatError, /^Cannot read the list: it is not JSON \(list\.json\)$/);
  }
  throws(() => parse(Uint8Array.of(0x22, 0xff, 0x22)), FormatError, /^Cannot read the list: it is not UTF-8/);
  throws(() => decodeText(Uint8Array.of(0xc0), 'Cannot read the list'), FormatError, /not UTF-8$/);
});

test.run();
