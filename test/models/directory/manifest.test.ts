import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ManifestTensor, parseManifest, serializeManifest } from '../../../models/directory/manifest.js';
import { FormatError, UnsupportedError } from '../../../src/errors.js';
import { throws } from '../../helpers/assertions.js';

const test = suite('model manifest');

const TENSOR: ManifestTensor = {
  name: '../w',
  dtype: 'F32',
  shape: [2, 3],
  byteLength: 24,
  xxh3: '0123456789abcdef',
  file: '_w.hct',
  format: 'hct',
  fileSize: 99,
};

const manifestWith = (...tensors: unknown[]) =>
  JSON.stringify({ format: 'holostream-model', version: 1, tensors });

test('what is written is read back, whatever the metadata are called', () => {
  const metadata = new Map([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  const second = { ...TENSOR, name: 'b', file: 'b.raw', format: 'raw' as const };
  const manifest = { metadata, tensors: [TENSOR, second] };
  assert.equal(parseManifest(serializeManifest(manifest)), manifest);
  const empty = { metadata: new Map(), tensors: [] };
  assert.equal(parseManifest(serializeManifest(empty)), empty);
});

for (const [what, text, pattern] of [
  ['not JSON', '{', /not JSON/],
  ['not an object', '[]', /not an object/],
  ['another format', '{"format":"x"}', /format: expected holostream-model, got x/],
  ['no tensors', '{"format":"holostream-model","version":1}', /its tensors are not an array/],
  [
    'metadata not text',
    '{"format":"holostream-model","version":1,"metadata":{"a":1},"tensors":[]}',
    /metadata "a"/,
  ],
  [
    'a tensor that is null',
    manifestWith(null),
    /^Cannot read tensor 0 of the manifest: it is not an object$/,
  ],
  ['a file outside', manifestWith({ ...TENSOR, file: '../../etc/passwd' }), /plain file name/],
  ['an absolute file', manifestWith({ ...TENSOR, file: '/etc/passwd' }), /plain file name/],
  ['a file with a drive', manifestWith({ ...TENSOR, file: 'C:x' }), /plain file name/],
  ['an unknown file format', manifestWith({ ...TENSOR, format: 'zip' }), /hct or raw, got zip/],
  [
    'a negative dimension',
    manifestWith({ ...TENSOR, shape: [-1] }),
    /shape: expected a whole number, got -1/,
  ],
  ['a fractional size', manifestWith({ ...TENSOR, fileSize: 0.5 }), /fileSize/],
  ['a size beyond doubles', manifestWith({ ...TENSOR, byteLength: 2 ** 53 }), /byteLength/],
  [
    "a size that is not the shape's",
    manifestWith({ ...TENSOR, byteLength: 20 }),
    /byteLength of F32 \[2, 3\]: expected 24, got 20/,
  ],
  ['an unknown dtype', manifestWith({ ...TENSOR, dtype: 'X' }), /dtype: expected .*F32.*, got X/],
  ['a short hash', manifestWith({ ...TENSOR, xxh3: 'abc' }), /xxh3/],
  ['a reserved name', manifestWith({ ...TENSOR, name: '__metadata__' }), /its name is reserved/],
  [
    'a name that is not Unicode',
    manifestWith(TENSOR).replace('"name":"', '"name":"\\ud800'),
    /a string is not Unicode/,
  ],
  ['a missing name', manifestWith({ ...TENSOR, name: undefined }), /name is not a string/],
  ['two of one name', manifestWith(TENSOR, { ...TENSOR, file: 'x.hct' }), /two tensors have the same name/],
  [
    'two in one file',
    manifestWith(TENSOR, { ...TENSOR, name: 'b', file: '_W.hct' }),
    /two tensors have the same file/,
  ],
] as const) {
  test(`refused: ${what}`, () => {
    throws(() => parseManifest(text), FormatError, pattern);
  });
}

test('refused: another version', () => {
  const later = '{"format":"holostream-model","version":2,"tensors":[]}';
  throws(() => parseManifest(later), UnsupportedError, /version: expected 1, got 2/);
});

test.run();
