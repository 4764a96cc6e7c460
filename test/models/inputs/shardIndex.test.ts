import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseShardIndex, readShardIndex } from '../../../models/inputs/shardIndex.js';
import { isShardIndexName } from '../../../models/inputs/shardIndexName.js';
import { streamSource } from '../../../sources/stream.js';
import { FormatError, LimitError } from '../../../src/errors.js';
import { rejects, throws } from '../../helpers/assertions.js';

const test = suite('shard index');

const map = (files: Record<string, unknown>) => JSON.stringify({ metadata: {}, weight_map: files });
const read = (...chunks: Uint8Array[]) => readShardIndex(streamSource(chunks), 'model.index.json', {});
const utf8 = (text: string) => new TextEncoder().encode(text);

test('the file of each tensor; the files in their order, each once', () => {
  const text = map({
    'lm_head.weight': 'b.safetensors',

    a: 'a.safetensors',
    b: 'b.safetensors',
  });
  const index = parseShardIndex(text, 'x');
  assert.is(index.text, text);
  assert.equal(index.files, ['a.safetensors', 'b.safetensors']);
  assert.equal(
    [...index.fileOf],
    [
      ['lm_head.weight', 'b.safetensors'],
      ['a', 'a.safetensors'],
      ['b', 'b.safetensors'],
    ],
  );
});

test('names of tensors are any text', () => {
  const index = parseShardIndex('{"weight_map": {"__proto__": "a", "": "a", "ö\\u0000": "a"}}', 'x');
  assert.equal([...index.fileOf.keys()], ['__proto__', '', 'ö\0']);
});

test('a byte order mark is no part of the JSON, and is kept with the text', async () => {
  const text = `\ufeff${map({ a: 'a.safetensors' })}`;
  const index = await read(utf8(text).subarray(0, 2), utf8(text).subarray(2));
  assert.is(index.text, text);
  assert.equal(utf8(index.text), utf8(text));
  assert.equal(index.files, ['a.safetensors']);
});

test('what is no index', async () => {
  const broken: [string, RegExp][] = [
    ['', /not JSON/],
    ['{', /not JSON/],
    ['null', /no weight_map/],
    ['"weight_map"', /no weight_map/],
    ['{"weight_map": null}', /no weight_map/],
    ['{"weight_map": ["a.safetensors"]}', /no weight_map/],
    ['{"weight_map": {"a": 5}}', /file name.*a plain name/],
  ];
  for (const [text, message] of broken) await rejects(read(utf8(text)), FormatError, message);
  await rejects(read(Uint8Array.of(0x7b, 0xff, 0x7d)), FormatError, /not UTF-8 \(model\.index\.json\)/);
});

test('names that lead elsewhere are refused', () => {
  const elsewhere = [
    '../a',
    '..',
    '.',
    '',
    '/a',
    'a/b',
    '..\\a',
    'C:a',
    '.a',
    '-a',
    'nul',
    'a\0',
    'http://a/b',
    'c:a.safetensors',
    ' a',
    'a ',
    'a.',
    'com1.safetensors',
    'a\n',
    'a'.repeat(256),
    '..%2fa/b',
  ];
  for (const file of elsewhere) {
    throws(
      () => parseShardIndex(map({ w: file }), 'x'),
      FormatError,
      /file name \(x, tensor w\): expected a plain/,
    );
  }
  throws(() => parseShardIndex(map({ w: 'a\ud800' }), 'x'), FormatError, /not Unicode/);
});

test('an index without end is not read to its end', async () => {
  let given = 0;
  const chunk = new Uint8Array(2 ** 24).fill(0x20);
  async function* spaces() {
    for (;;) {
      given += chunk.length;
      yield chunk;
    }
  }
  await rejects(readShardIndex(streamSource(spaces()), 'x', {}), LimitError, /shard index.*\(x\).*67108864/);
  assert.ok(given <= 2 ** 26 + 2 * chunk.length, `${given} bytes read`);
});

test('which files are an index', () => {
  const indexes = [
    'model.safetensors.index.json',
    'x.fp16.index.json',
    'model.safetensors.index.fp16.json',
    'diffusion_pytorch_model.safetensors.index.non_ema.json',
  ];
  for (const name of indexes) assert.ok(isShardIndexName(name), name);
  for (const name of [
    'model.safetensors',
    'index.json',
    'manifest.json',
    'a.index.b.c.json',
    'a.index.json.gz',
  ]) {
    assert.not.ok(isShardIndexName(name), name);
  }
});

test('names may have spaces, and characters that URLs and file systems reserve', () => {
  const names = [
    'a b.safetensors',
    'a%20b',
    'a#1?x=1&y',
    '[a]{b}+c@d!',
    'größe 模型',
    "it's",
    'shard:1',
    '%2e%2e',
    'a..b',
  ];
  for (const file of names) assert.equal(parseShardIndex(map({ w: file }), 'x').files, [file]);
});

test('an empty weight_map is a model without tensors', () => {
  assert.equal(parseShardIndex('{"weight_map": {}}', 'x').files, []);
});

test.run();
