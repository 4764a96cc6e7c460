import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource, HctReader, HoloTensorReader, openModel } from '../../../index.js';
import { foreignFile } from '../../../src/bytes/foreignFile.js';
import { FormatError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';

const test = suite('files under the name of another format');

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url));

const FILES: readonly (readonly [string, RegExp])[] = [
  ['inputs/lfs-pointer.safetensors', /a Git LFS pointer; run "git lfs pull"/],
  ['inputs/page.safetensors', /a web page/],
  ['inputs/api-error.safetensors', /JSON text/],
  ['inputs/zip.pt.safetensors', /a zip archive/],
  ['inputs/gguf.safetensors', /a GGUF file/],
  ['inputs/w_f4.npy', /a NumPy file/],
  ['inputs/README.md', /text/],
];

for (const [name, kind] of FILES) {
  test(`${name} is called what it is by every reader`, async () => {
    const source = bytesSource(fixture(name));
    const message = new RegExp(`: this is ${kind.source}`);
    await rejects(openModel(source), FormatError, message);
    // Some fixtures are shorter than the headers of the other formats.
    if (source.size < 96) return;
    await rejects(HctReader.open(source), FormatError, message);
    await rejects(HoloTensorReader.open(source), FormatError, message);
  });
}

test('the formats are told from each other', async () => {
  const hct = bytesSource(fixture('reference/hct/v1-lz4-f32-2d.hct'));
  await rejects(
    HoloTensorReader.open(hct),
    FormatError,
    /^Cannot read the HoloTensor file: this is an HCT file/,
  );
  const safetensors = bytesSource(
    readFileSync(new URL('../../../examples/digits/digits.safetensors', import.meta.url)),
  );
  await rejects(
    HctReader.open(safetensors),
    FormatError,
    /^Cannot read the HCT file: this is a safetensors file/,
  );
});

test('bytes that are like nothing known have no name', () => {
  for (const bytes of [[], [0, 1, 2, 3], [200, 1, 0, 0, 0, 0, 0, 0, 9]]) {
    assert.is(foreignFile(Uint8Array.from(bytes)), undefined);
  }
});

test.run();
