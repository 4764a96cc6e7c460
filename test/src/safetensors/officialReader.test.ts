import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource, HolostreamError, openModel, readSafetensors, TruncatedError } from '../../../index.js';
import { rejects } from '../../helpers/assertions.js';
import { safetensorsOf } from '../../helpers/safetensors.js';
import { rowsBehind } from '../../helpers/tables.js';

/**
 * Held against the official reader: all of these files were given to the Rust crate `safetensors`, see
 * docs/formats/safetensors.md. Where it takes a file that holostream refuses, the case says so.
 */
const test = suite('safetensors: the rules of the official reader');

interface Case {
  readonly json: string | Uint8Array;
  /** Bytes behind the header. Default 1. */
  readonly data?: number;
  /** The names of the tensors that holostream finds, or why it refuses the file. */
  readonly found: readonly string[] | RegExp;
  /** The official reader takes the file. */
  readonly stricter?: true;
}

const TENSOR = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
const A = `{"a":${TENSOR}}`;
const a = (members: string) => `{"a":{${members}}}`;
const typed = (dtype: string, shape: string, end: number) =>
  a(`"dtype":${dtype},"shape":${shape},"data_offsets":[0,${end}]`);
const ranged = (shape: string, offsets: string) =>
  a(`"dtype":"U8","shape":${shape},"data_offsets":${offsets}`);
const extra = (value: string) => a(`"x":${value},"dtype":"U8","shape":[1],"data_offsets":[0,1]`);
const nested = (levels: number) => extra('['.repeat(levels) + ']'.repeat(levels));
const empty = (shape: string) => ranged(shape, '[0,0]');
const two = (first: string, second: string) =>
  `{"a":{"dtype":"U8","shape":[2],"data_offsets":${first}},"b":{"dtype":"U8","shape":[2],"data_offsets":${second}}}`;
const utf8 = new TextEncoder();

/** By the first cell of the rows in the documentation. */
const RULES: Readonly<Record<string, readonly Case[]>> = {
  'UTF-8': [
    { json: `{"ä":${TENSOR}}`, found: ['ä'] },
    { json: `{"":${TENSOR}}`, found: [''] },
    { json: `\ufeff${A}`, found: /expected "{"/ },
    { json: utf8.encode(A).with(2, 0xff), found: /malformed string/ },
    { json: utf8.encode(`${A} `).with(A.length, 0xff), found: /white space up to the end/ },
  ],
  'white space': [
    { json: ` \n\t\r${A}`, found: ['a'] },
    { json: `${A} \n\t\r`, found: ['a'] },
    { json: `{ "a" :\n${TENSOR}\t}`, found: ['a'] },
  ],
  padding: [
    {
      json: `${A}\0\0`,
      found: /^Cannot read the safetensors header: it is padded by NUL bytes, where only spaces/,
    },
    { json: `\0${A}`, found: /expected "{"/ },
    { json: `${A}\f`, found: /white space up to the end/ },
    { json: `${A}\u00a0`, found: /white space up to the end/ },
    { json: `${A}x`, found: /white space up to the end/ },
  ],
  object: [
    { json: '{}', data: 0, found: [] },
    { json: '', data: 0, found: /expected "{", got the end/ },
    { json: '  ', data: 0, found: /expected "{", got the end/ },
    { json: '[]', data: 0, found: /expected "{"/ },
    { json: 'null', data: 0, found: /expected "{"/ },
    { json: `{"a":${TENSOR},}`, found: /malformed JSON/ },
    { json: `{/**/"a":${TENSOR}}`, found: /malformed JSON/ },
  ],
  metadata: [
    { json: '{"__metadata__":null}', data: 0, found: [] },
    { json: '{"__metadata__":{}}', data: 0, found: [] },
    { json: `{"a":${TENSOR},"\\u005f_metadata__":{"x":"1"}}`, found: ['a'] },
    { json: '{"__metadata__":{"x":1}}', data: 0, found: /malformed JSON/ },
    { json: '{"__metadata__":{"x":null}}', data: 0, found: /malformed JSON/ },
    { json: '{"__metadata__":[]}', data: 0, found: /malformed JSON/ },
    { json: '{"__metadata__":"x"}', data: 0, found: /malformed JSON/ },
    { json: `{"__metadata__":${TENSOR}}`, found: /malformed JSON/ },
  ],
  tensors: [
    { json: '{"a":null}', data: 0, found: /malformed JSON/ },
    { json: '{"a":1}', data: 0, found: /malformed JSON/ },
    { json: '{"a":{}}', data: 0, found: /a field is missing/ },
    { json: a('"dtype":"U8","shape":[1]'), found: /a field is missing/ },
    { json: a('"dtype":"U8","data_offsets":[0,1]'), found: /a field is missing/ },
    { json: a('"shape":[1],"data_offsets":[0,1]'), found: /a field is missing/ },
    { json: typed('"U8"', 'null', 1), found: /malformed JSON/ },
  ],
  'unknown members': [
    { json: extra('[1,{"y":null,"y":[]},"[",true,-1.5e-3]'), found: ['a'] },
    { json: extra('NaN'), found: /expected a value/ },
    { json: extra('01'), found: /expected a value/ },
    { json: extra(''), found: /expected a value/ },
    { json: extra('[1,]'), found: /expected a value/ },
    { json: extra('{"y"}'), found: /malformed JSON/ },
    { json: extra('1e999'), found: /expected a smaller number/ },
    { json: extra('"\\ud800"'), found: /not Unicode/ },
  ],
  'duplicate keys': [
    { json: '{"__metadata__":{},"__metadata__":{}}', data: 0, found: /duplicate key/ },
    { json: a('"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]'), found: /duplicate key/ },
    { json: a('"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]'), found: /duplicate key/ },
    { json: `{"a":${TENSOR},"a":${TENSOR}}`, found: /duplicate key/, stricter: true },
    { json: `{"a":${TENSOR},"\\u0061":${TENSOR}}`, found: /duplicate key/, stricter: true },
    { json: '{"__metadata__":{"x":"1","x":"2"}}', data: 0, found: /duplicate key/, stricter: true },
    { json: extra('1,"x":2'), found: /duplicate key/, stricter: true },
  ],
  shorthand: [
    { json: '{"a":["U8",[1],[0,1]]}', found: /malformed JSON/, stricter: true },
    { json: typed('{"U8":null}', '[1]', 1), found: /malformed JSON/, stricter: true },
    { json: typed('4', '[1]', 1), found: /malformed JSON/ },
  ],
  dtypes: [
    ...rowsBehind('safetensors.md', 'Rules')
      .find(([rule]) => rule === 'dtypes')![1]!
      .split(', ')
      .map((dtype): Case => ({ json: typed(`"${dtype}"`, '[0]', 0), data: 0, found: ['a'] })),
    { json: typed('"u8"', '[1]', 1), found: /unknown dtype/ },
    { json: typed('"F8_E4M3FN"', '[1]', 1), found: /unknown dtype/ },
  ],
  'whole numbers': ['1.0', '1e0', '-0', '-1', '01', '"1"', 'null'].flatMap((n): Case[] => [
    { json: ranged(`[${n}]`, '[0,1]'), found: /whole number|expected "]"/ },
    { json: ranged('[1]', `[0,${n}]`), found: /whole number|expected "]"/ },
  ]),
  'large numbers': [
    { json: empty('[9007199254740991,0]'), data: 0, found: ['a'] },
    { json: empty('[9007199254740993,0]'), data: 0, found: /whole number/, stricter: true },
    { json: empty('[18446744073709551615,0]'), data: 0, found: /whole number/, stricter: true },
    { json: empty('[18446744073709551616,0]'), data: 0, found: /whole number/ },
  ],
  shape: [
    { json: ranged('[]', '[0,1]'), found: ['a'] },
    { json: ranged('[1,1,1,1,1,1,1,1,1]', '[0,1]'), found: ['a'] },
    { json: typed('"F32"', '[1073741824,1073741824,0]', 0), data: 0, found: ['a'] },
    { json: typed('"F32"', '[0,4294967296,4294967296]', 0), data: 0, found: ['a'] },
    { json: typed('"F32"', '[4294967296,4294967296,0]', 0), data: 0, found: /wrong size/ },
  ],
  size: [
    { json: ranged('[2]', '[0,1]'), found: /wrong size/ },
    { json: ranged('[1]', '[0]'), found: /data_offsets/ },
    { json: ranged('[1]', '[0,1,2]'), found: /data_offsets/ },
    { json: ranged('[1]', '[1,0]'), found: /data_offsets/ },
    { json: typed('"F4"', '[2]', 1), found: ['a'] },
    { json: typed('"F4"', '[3]', 2), data: 2, found: /wrong size/ },
    { json: typed('"F6_E2M3"', '[4]', 3), data: 3, found: ['a'] },
  ],
  layout: [
    { json: two('[2,4]', '[0,2]'), data: 4, found: ['b', 'a'] },
    { json: two('[0,2]', '[1,3]'), data: 3, found: /tensors overlap/ },
    { json: two('[0,2]', '[0,2]'), data: 2, found: /tensors overlap/ },
    { json: two('[0,2]', '[3,5]'), data: 5, found: /a hole precedes/ },
    { json: ranged('[1]', '[1,2]'), data: 2, found: /a hole precedes/ },
    {
      json: `{"z":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"a":${TENSOR},"y":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`,
      found: ['y', 'a', 'z'],
    },
  ],
  end: [
    { json: A, data: 0, found: /it is too short/ },
    { json: A, data: 2, found: /bytes follow its last tensor/ },
    { json: '{}', data: 1, found: /bytes follow its last tensor/ },
  ],
  strings: [
    { json: `{"\\ud83d\\ude00\\n\\/":${TENSOR}}`, found: ['😀\n/'] },
    { json: `{"a\u007f":${TENSOR}}`, found: ['a\u007f'] },
    { json: `{"\\ud800":${TENSOR}}`, found: /not Unicode/ },
    { json: `{"a\u0001":${TENSOR}}`, found: /malformed string/ },
    { json: `{"\\x":${TENSOR}}`, found: /malformed string/ },
  ],
  nesting: [
    { json: nested(125), found: ['a'] },
    { json: nested(126), found: /nested too deeply/ },
    { json: nested(2 ** 16), found: /nested too deeply/ },
  ],
};

const fileOf = ({ json, data = 1 }: Case) => Buffer.concat([safetensorsOf(json), new Uint8Array(data)]);

for (const [rule, cases] of Object.entries(RULES)) {
  test(rule, async () => {
    for (const one of cases) {
      const file = fileOf(one);
      const { found } = one;
      if (found instanceof RegExp) {
        await rejects(readSafetensors(bytesSource(file)), HolostreamError, found);
        continue;
      }
      assert.equal([...(await readSafetensors(bytesSource(file))).keys()], found);
      const model = await openModel(bytesSource(file));
      assert.equal(
        model.tensors.map(({ name }) => name),
        found,
      );
    }
  });
}

test('header length', async () => {
  const read = (...bytes: number[]) => readSafetensors(bytesSource(Uint8Array.from(bytes)));
  await rejects(read(), TruncatedError);
  await rejects(read(1, 0, 0, 0, 0, 0, 0), TruncatedError);
  await rejects(
    read(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d),
    HolostreamError,
    /the file is too short: expected 11 bytes/,
  );
  // 100,000,001.
  await rejects(read(0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0, 0x7b), HolostreamError, /at most 100000000/);
});

test('every rule of the page is tested, and no other', () => {
  const rules = rowsBehind('safetensors.md', 'Rules').slice(1);
  assert.equal(new Set(rules.map(([rule]) => rule)), new Set([...Object.keys(RULES), 'header length']));
  // "The same" is said where no case differs.
  for (const [rule, , ours] of rules) {
    const differs = RULES[rule!]?.some(({ stricter }) => stricter) ?? false;
    assert.is(!ours!.startsWith('the same'), differs, rule);
  }
});

const fixture = (name: string) =>
  bytesSource(readFileSync(new URL(`../../fixtures/inputs/${name}`, import.meta.url)));

test('files of other writers', async () => {
  for (const name of ['st-empty', 'st-empty-meta']) {
    assert.is((await readSafetensors(fixture(`${name}.safetensors`))).size, 0, name);
    assert.is((await openModel(fixture(`${name}.safetensors`))).tensors.length, 0, name);
  }
  for (const name of ['st-meta-null', 'st-pad-newline', 'st-pad-tab']) {
    const model = await openModel(fixture(`${name}.safetensors`));
    assert.equal([...(await model.tensor('w')).data], [1.5], name);
  }
  for (const open of [readSafetensors, openModel]) {
    await rejects(open(fixture('st-pad-nul.safetensors')), HolostreamError, /padded by NUL bytes/);
  }
});

test.run();
