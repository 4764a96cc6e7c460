import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseSafetensorsHeader,
  type SafetensorsDeclaration,
  type SafetensorsDType,
  serializeSafetensorsHeader,
} from '../../../formats.js';
import { ArgumentError, FormatError, LimitError, TruncatedError } from '../../../src/errors.js';
import { throws } from '../../helpers/assertions.js';
import { checkSafetensorsHeader } from '../../helpers/checks/safetensorsFile.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { safetensorsOf } from '../../helpers/safetensors.js';
import { TRAINED_FILES } from '../../helpers/trained.js';

const test = suite('safetensors header');

const tensor = (dtype: string, shape: unknown, from: unknown, to: unknown) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

test('whole files: entries as JSON.parse sees them, and the same bytes when written again', () => {
  for (const [name, bytes] of Object.entries(TRAINED_FILES)) checkSafetensorsHeader(name, bytes);
  // As the official writer lays it out: metadata first, wide dtypes first, then by name, spaces up to a multiple of 8.
  const json =
    '{"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
    '"a.b":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},' +
    '"h":{"dtype":"F16","shape":[2],"data_offsets":[16,20]}}';
  const official = safetensorsOf(json.padEnd(8 * Math.ceil(json.length / 8)));
  checkSafetensorsHeader('official', new Uint8Array([...official, ...pseudoRandomBytes(20)]));
});

test('tensors come in the order of their data; empty ones may share a place', () => {
  const header = parseSafetensorsHeader(
    safetensorsOf({
      b: tensor('F16', [2], 8, 12),
      a: tensor('I64', [], 0, 8),
      none: tensor('F32', [0, 7], 8, 8),
      '1': tensor('F4', [2], 12, 13),
    }),
  );
  assert.equal(
    header.tensors.map(({ name, byteLength }) => [name, byteLength]),
    [
      ['a', 8],
      ['none', 0],
      ['b', 4],
      ['1', 1],
    ],
  );
  assert.is(header.fileSize, header.byteLength + 13);
});

test('names that are special to JavaScript are names like others', () => {
  const names = ['__proto__', 'constructor', '2', '1', 'ä\n"'];
  const declarations = names.map((name): SafetensorsDeclaration => ({ name, dtype: 'U8', shape: [1] }));
  const metadata = new Map([
    ['__proto__', 'x'],
    ['7', ''],
    ['a', '\u0000'],
  ]);
  const { bytes, header } = serializeSafetensorsHeader(declarations, metadata);
  assert.is(bytes.length % 8, 0);
  const parsed = parseSafetensorsHeader(bytes);
  assert.equal(parsed, header);
  assert.equal([...parsed.metadata], [...metadata]);
});

test('the layout is checked', () => {
  const cases: [string | object, RegExp][] = [
    [{ a: tensor('F32', [2], 0, 8), b: tensor('F32', [2], 4, 12) }, /tensors overlap.*b.*expected 8, got 4/],
    [{ a: tensor('F32', [2], 0, 8), b: tensor('F32', [2], 0, 8) }, /tensors overlap/],
    [{ a: tensor('F32', [2], 0, 8), b: tensor('F32', [2], 12, 20) }, /a hole precedes a tensor.*b/],
    [{ a: tensor('F32', [2], 4, 12) }, /a hole precedes a tensor/],
    [{ a: tensor('F32', [3], 0, 8) }, /wrong size of F32 \[3\].*expected 12, got 8/],
    [{ a: tensor('F32', [2], 8, 0) }, /data_offsets/],
    [{ a: { dtype: 'F32', shape: [2], data_offsets: [0] } }, /data_offsets/],
    [{ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8, 16] } }, /data_offsets/],
    [{ a: tensor('F6_E2M3', [3], 0, 3) }, /size of F6_E2M3/],
    [{ a: tensor('F32', [2 ** 30, 2 ** 30], 0, 4) }, /size of F32/],
    [{ a: tensor('F31', [2], 0, 8) }, /unknown dtype.*F31/],
    [{ a: tensor('toString', [2], 0, 8) }, /unknown dtype/],
    [{ a: { dtype: 'F32', shape: [2] } }, /a field is missing/],
  ];
  for (const [json, message] of cases) {
    throws(() => parseSafetensorsHeader(safetensorsOf(json)), FormatError, message);
  }
});

test('the JSON is checked', () => {
  const a = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
  const bad: [string, RegExp][] = [
    ['', /expected "{", got the end/],
    ['[]', /expected "{", got "\["/],
    ['\ufeff{}', /expected "{"/],
    ['{', /expected """, got the end/],
    ['{}x', /white space up to the end, got "x"/],
    ['{} \0\0', /padded by NUL bytes.*byte 11/],
    ['{"a":1}', /expected "{", got "1"/],
    ['{"a":null}', /malformed JSON/],
    [`{"a":${a},}`, /malformed JSON/],
    [`{"a":${a} "b":${a}}`, /malformed JSON/],
    [`{"a":${a},"a":${a}}`, /duplicate key.*a/],
    [`{"a":${a},"\\u0061":${a}}`, /duplicate key/],
    ['{"a":{"dtype":"U8","dtype":"U8"}}', /duplicate key.*dtype/],
    ['{"__metadata__":{"x":"1","x":"2"}}', /duplicate key.*x/],
    ['{"__metadata__":{},"__metadata__":{}}', /duplicate key/],
    ['{"__metadata__":{"x":1}}', /malformed JSON/],
    ['{"__metadata__":nulls}', /malformed JSON/],
    ['{"__metadata__":[]}', /malformed JSON/],
    ['{"\\ud800":1}', /not Unicode/],
    ['{"\\x":1}', /malformed string/],
    ['{"\t":1}', /malformed string/],
    ['{"a', /closing quote/],
    ['{"a\\', /closing quote/],
    ...['-1', '1.0', '1e0', '01', '9007199254740992', '"1"', '[1]', '1,', ',1'].map(
      (shape): [string, RegExp] => [
        `{"a":{"dtype":"U8","shape":[${shape}],"data_offsets":[0,1]}}`,
        /malformed JSON.*: expected (a whole number|"]")/,
      ],
    ),
  ];
  for (const [json, message] of bad) {
    throws(() => parseSafetensorsHeader(safetensorsOf(json)), FormatError, message);
  }
  const invalidUtf8 = safetensorsOf('{"??":1}');
  invalidUtf8[10] = 0xff;
  throws(() => parseSafetensorsHeader(invalidUtf8), FormatError, /malformed string/);
});

test('lengths: truncated, above the cap, against the size of the file', () => {
  const { bytes, header } = serializeSafetensorsHeader([{ name: 'a', dtype: 'F32', shape: [4] }]);
  for (let length = 0; length < bytes.length; length++) {
    throws(() => parseSafetensorsHeader(bytes.subarray(0, length)), TruncatedError);
  }
  throws(
    () => parseSafetensorsHeader(bytes, { limits: { headerBytes: bytes.length - 9 } }),
    LimitError,
    /at most/,
  );
  assert.ok(parseSafetensorsHeader(bytes, { limits: { headerBytes: bytes.length - 8 } }));
  const lie = bytes.slice();
  lie.fill(0xff, 0, 8);
  throws(() => parseSafetensorsHeader(lie), LimitError, /184467440737095/);
  throws(() => parseSafetensorsHeader(lie, { limits: { headerBytes: Infinity } }), TruncatedError);
  throws(() => parseSafetensorsHeader(bytes, { fileSize: bytes.length - 1 }), TruncatedError);
  throws(
    () => parseSafetensorsHeader(bytes, { fileSize: header.fileSize - 1 }),
    TruncatedError,
    /^Cannot read the safetensors file: it is too short: expected 80, got 79$/,
  );
  throws(
    () => parseSafetensorsHeader(bytes, { fileSize: header.fileSize + 1 }),
    FormatError,
    /^Cannot read the safetensors file: bytes follow its last tensor: expected 80, got 81$/,
  );
});

test('writing: what readers would refuse is refused', () => {
  const write = (dtype: string, shape: number[], name = 'a') =>
    serializeSafetensorsHeader([{ name, dtype: dtype as SafetensorsDType, shape }]);
  throws(() => write('F4', [3]), ArgumentError, /shape for F4/);
  throws(() => write('F32', [-1, -1]), ArgumentError);
  throws(() => write('F32', [0.5, 2]), ArgumentError);
  throws(() => write('F32', [2 ** 50]), ArgumentError);
  throws(() => write('I4', [2]), ArgumentError, /value of dtype: expected .BOOL, F4/);
  throws(() => write('F32', [2], '__metadata__'), ArgumentError, /this name is taken/);
  throws(() => write('F32', [2], '\ud800'), ArgumentError, /Unicode/);
  throws(() => serializeSafetensorsHeader([], new Map([['a', '\udc00']])), ArgumentError, /Unicode/);
  const twice = [1, 2].map((n) => ({ name: 'w', dtype: 'U8' as const, shape: [n] }));
  throws(() => serializeSafetensorsHeader(twice), ArgumentError, /this name is taken.*w/);
});

test.run();
