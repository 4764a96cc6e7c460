import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource, HctReader, HoloTensorReader, openModel, readSafetensors } from '../../../index.js';
import { HctParserStream } from '../../../operators/index.js';
import { streamSource } from '../../../sources/stream.js';
import { fileKind } from '../../../src/bytes/fileKind.js';
import { FormatError, HolostreamError } from '../../../src/errors.js';
import { HoloTensorParser } from '../../../src/holotensor/parser.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { safetensorsOf } from '../../helpers/safetensors.js';

const test = suite('files under the name of another format');

const fixture = (name: string) =>
  Uint8Array.from(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)));
const ascii = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** What each is called, and what the message shows of it; those of a kind that `openModel` reads may be broken models. */
const FILES: readonly (readonly [name: string, file: Uint8Array, kind: RegExp, isNoModel?: boolean])[] = [
  ['Git LFS', fixture('inputs/lfs-pointer.safetensors'), /a Git LFS pointer; run "git lfs pull"/],
  ['page', fixture('inputs/page.safetensors'), /a web page/],
  ['page of 6 bytes', ascii('<html>'), /a web page/],
  ['page behind white space', ascii(`\xef\xbb\xbf\r\n  <!doctype html>`), /a web page/],
  ['XML', ascii('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), /XML text.*<Code>Acc/],
  ['API error', fixture('inputs/api-error.safetensors'), /JSON text.*: got \{"error":/],
  ['JSON of 2 bytes', ascii('{}'), /JSON text/],
  ['JSON list', ascii('[{"name": "model"}]'), /JSON text/],
  ['shard index', fixture('inputs/shards/model.safetensors.index.json'), /a shard index/],
  [
    'shard index with a byte order mark',
    fixture('inputs/shards/bom.safetensors.index.json'),
    /a shard index/,
  ],
  [
    'manifest',
    ascii('{\n  "format": "holostream-model",\n  "version": 1,'),
    /the manifest of a model directory/,
  ],
  ['PyTorch', fixture('inputs/zip.pt.safetensors'), /a zip archive/, false],
  ['NumPy archive', fixture('inputs/w.npz'), /a zip archive/, false],
  ['old PyTorch', hex('8002 8a0a6cfc9c46f9206aa850192e 8002 4d'), /a Python pickle/],
  ['pickle', hex('8004 95 1c00000000000000 7d 94 8c'), /a Python pickle/],
  ['GGUF', fixture('inputs/gguf.safetensors'), /a GGUF file/, false],
  ['ONNX', hex('0807 1207 7079746f726368 1a05'), /an ONNX file/, false],
  ['ONNX with the graph first', hex('080a 3ac0a30a 0a'), /an ONNX file/, false],
  ['NumPy', fixture('inputs/w_f4.npy'), /a NumPy file/, false],
  ['HDF5', hex('89484446 0d0a1a0a 00'), /an HDF5 file/],
  ['TensorFlow Lite', hex('1c000000 54464c33 14002000'), /a TensorFlow Lite file/],
  ['gzip', gzipSync(fixture('inputs/st-pad-tab.safetensors')), /a gzip file; decompress it first/],
  // As `gzip --no-name` writes it: its first eight bytes are a length that a header could have.
  ['gzip without a time', hex('1f8b0800 00000000 0003 7d'), /a gzip file/],
  ['Zstandard', fixture('inputs/zstd-seq0-2bytes.zst'), /a Zstandard file; decompress it first/],
  ['text', fixture('inputs/README.md'), /text.*: got # Inputs from elsewhere/],
];

for (const [name, file, kind, isNoModel = true] of FILES) {
  test(`${name} is called what it is by every reader`, async () => {
    // Longer than any length in it that could be one.
    for (const bytes of [file, Buffer.concat([file, new Uint8Array(2 ** 20)])]) {
      const source = bytesSource(bytes);
      const message = (format: string) =>
        new RegExp(`^Cannot read the ${format} file: this is ${kind.source}`);
      if (isNoModel) await rejects(openModel(source), FormatError, new RegExp(`: this is ${kind.source}`));
      await rejects(readSafetensors(source), FormatError, message('safetensors'));
      await rejects(HctReader.open(source), FormatError, message('HCT'));
      await rejects(HoloTensorReader.open(source), FormatError, message('HoloTensor'));
      const reading = streamSource([bytes]).stream().pipeThrough(new HctParserStream()).getReader().read();
      await rejects(reading, FormatError, message('HCT'));
      const parse = () => {
        const parser = new HoloTensorParser();
        for (const byte of bytes.subarray(0, 200)) for (const _ of parser.push(Uint8Array.of(byte)));
        for (const _ of parser.flush());
      };
      throws(parse, FormatError, message('HoloTensor'));
    }
  });
}

test('the formats are told from each other', async () => {
  const hct = fixture('reference/hct/v1-lz4-f32-2d.hct');
  const holo = fixture('reference/holo/spectral-1d.holo');
  const safetensors = fixture('inputs/st-pad-tab.safetensors');
  for (const [file, kind] of [
    [hct, 'an HCT file'],
    [holo, 'a HoloTensor file'],
    [safetensors, 'a safetensors file'],
  ] as const) {
    // Cut to less than a header, too.
    for (const bytes of [file, file.subarray(0, 20)]) {
      const readers: readonly (readonly [
        string,
        (source: ReturnType<typeof bytesSource>) => Promise<unknown>,
      ])[] = [
        ['safetensors', readSafetensors],
        ['HCT', (source) => HctReader.open(source)],
        ['HoloTensor', (source) => HoloTensorReader.open(source)],
      ];
      for (const [format, open] of readers) {
        if (kind.includes(format)) continue;
        const message = new RegExp(`^Cannot read the ${format} file: this is ${kind}`);
        await rejects(open(bytesSource(bytes)), FormatError, message);
      }
    }
  }
});

test('a safetensors file is one, whatever its length looks like', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100_000_000 }),
      fc.constantFrom('', ' ', '\n\t\r '),
      (length, space) => {
        const file = Buffer.concat([safetensorsOf(`${space}{"a":`), new Uint8Array(60)]);
        file.writeUInt32LE(length);
        assert.is(fileKind(file), 'safetensors');
        assert.is(fileKind(file.subarray(0, 8)), 'safetensors');
      },
    ),
  );
  assert.is(fileKind(safetensorsOf(`${' '.repeat(100)}{}`)), 'safetensors');
});

test('bytes that are like nothing known have no name', () => {
  for (const bytes of [[], [0, 1, 2, 3], [200, 1, 0, 0, 0, 0, 0, 0, 8], [0x80, 2, 0, 9]]) {
    assert.is(fileKind(Uint8Array.from(bytes)), undefined);
  }
});

test('no start of a file is too short or too odd to be looked at', async () => {
  const bytes = fc.uint8Array({ maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(bytes, async (start) => {
      for (const open of [
        openModel,
        readSafetensors,
        HctReader.open.bind(HctReader),
        HoloTensorReader.open.bind(HoloTensorReader),
      ]) {
        const opening: Promise<unknown> = open(bytesSource(start));
        await rejects(opening, HolostreamError);
      }
    }),
  );
});

test.run();
