import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as formats from '../../formats.js';
import { HoloTensorEncoder } from '../../index.js';
import { readReference } from '../helpers/fixtures.js';
import { hctFixtures } from '../helpers/hctFixtures.js';
import { type HoloFixture, holoFixtures } from '../helpers/holoFixtures.js';
import { rowsBehind } from '../helpers/tables.js';

const test = suite('the documented formats');

/** Reads the field whose description begins with `name` at the place and in the type that a table states. */
function fieldReader(
  file: string,
  heading: string,
): (bytes: Uint8Array, name: string, at?: number) => unknown {
  const rows = rowsBehind(file, heading);
  return (bytes, name, at = 0) => {
    const [offset, type] = rows.find(([, , field]) => field?.startsWith(name))!;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at + Number(offset));
    switch (type!.split(' ')[0]) {
      case 'u8':
        return view.getUint8(0);
      case 'u16':
        return view.getUint16(0, true);
      case 'u32':
        return view.getUint32(0, true);
      case 'f32':
        return view.getFloat32(0, true);
      case 'u64':
        return view.getBigUint64(0, true);
      default:
        throw new Error(`no type: ${type}`);
    }
  };
}

const holoFiles = ['spectral', 'rph', 'lrdf'].flatMap((encoding) =>
  holoFixtures(encoding as HoloFixture['encoding']).map(({ file }) => readReference(file)),
);

test('HCT: files of the reference have their fields where the page says', () => {
  const header = fieldReader('hct.md', 'Header');
  const entry = fieldReader('hct.md', 'Block index');
  for (const { bytes } of hctFixtures) {
    const parsed = formats.parseHctHeader(bytes);
    assert.is(header(bytes, 'magic'), formats.HCT_MAGIC);
    assert.is(header(bytes, 'version'), parsed.version);
    assert.is(header(bytes, 'algorithm'), formats.COMPRESSION_ALGORITHMS.indexOf(parsed.algorithm));
    assert.is(header(bytes, 'dtype'), formats.dtypeCode(parsed.dtype));
    assert.is(header(bytes, 'flags'), parsed.flags);
    assert.is(header(bytes, 'original size'), BigInt(parsed.originalSize));
    assert.is(header(bytes, 'compressed size'), BigInt(parsed.compressedSize));
    assert.is(header(bytes, 'block size'), parsed.blockSize);
    assert.is(header(bytes, 'number of blocks'), parsed.blockCount);
    assert.is(header(bytes, 'rank'), parsed.shape.length);
    if (parsed.shape.length > 0) assert.is(header(bytes, 'dimensions'), BigInt(parsed.shape[0]!));
    if (parsed.version === 1) continue;
    const covered = bytes.subarray(0, 56);
    assert.is(header(bytes, 'version 2 only: XXH3-64 of bytes 0 to 55'), formats.xxh3(covered));
    if ((parsed.flags & formats.FLAG_BLOCK_CHECKSUMS) === 0 || parsed.blockCount === 0) continue;
    const index = 64 + ((parsed.flags & formats.FLAG_QUANTIZATION) === 0 ? 0 : 8);
    const block = bytes.subarray(index + 16 * parsed.blockCount);
    const size = entry(bytes, 'size of the block', index) as number;
    assert.is(entry(bytes, 'offset of the block', index), 0);
    assert.is(entry(bytes, '16-byte entries only', index), formats.xxh3(block.subarray(0, size)));
  }
});

test('HoloTensor: files of the reference have their fields where the page says', () => {
  const header = fieldReader('holotensor.md', 'Header');
  const entry = fieldReader('holotensor.md', 'Fragment index');
  for (const bytes of holoFiles) {
    const parsed = formats.parseHoloTensorHeader(bytes);
    assert.is(header(bytes, 'magic'), formats.HOLO_MAGIC);
    assert.is(header(bytes, 'version'), formats.HOLO_VERSION);
    assert.is(header(bytes, 'encoding'), formats.ENCODING_CODES[parsed.encoding]);
    assert.is(header(bytes, 'compression'), formats.COMPRESSION_ALGORITHMS.indexOf(parsed.compression));
    assert.is(header(bytes, 'flags'), parsed.flags);
    assert.is(header(bytes, 'N;'), parsed.totalFragments);
    assert.is(header(bytes, 'minimum'), parsed.qualityCurve.minimum);
    assert.is(header(bytes, 'original size'), BigInt(parsed.originalSize));
    assert.is(header(bytes, 'seed'), parsed.seed);
    assert.is(header(bytes, 'dtype'), formats.dtypeCode(parsed.dtype));
    assert.is(header(bytes, 'rank'), parsed.shape.length);
    assert.is(header(bytes, 'quality curve'), parsed.qualityCurve.coefficients[0]);
    assert.is(header(bytes, 'XXH3-64'), formats.xxh3(bytes.subarray(0, 88)));
    const first = formats.parseFragmentIndexEntry(bytes, 96);
    assert.is(entry(bytes, 'fragment number', 96), first.index);
    assert.is(entry(bytes, 'offset', 96), first.offset);
    assert.is(entry(bytes, 'size as stored', 96), first.compressedSize);
    assert.is(entry(bytes, 'size of the payload', 96), first.uncompressedSize);
    const data = 96 + formats.FRAGMENT_INDEX_ENTRY_SIZE * Math.max(parsed.totalFragments, 1);
    const stored = bytes.subarray(data + first.offset).subarray(0, first.compressedSize);
    assert.is(entry(bytes, 'XXH3-64', 96), formats.xxh3(stored));
  }
});

test('flags have the documented values', () => {
  const exported: Record<string, unknown> = formats;
  for (const file of ['hct.md', 'holotensor.md']) {
    const flags = rowsBehind(file, 'Header').filter(([, name]) => /^`(HOLO_)?FLAG_/.test(name ?? ''));
    assert.ok(flags.length >= 6, file);
    for (const [value, name] of flags) assert.is(exported[name!.replaceAll('`', '')], Number(value), name);
  }
});

test('quality curves have the documented defaults', () => {
  const rows = rowsBehind('holotensor.md', 'Quality curve').slice(1);
  const documented = rows.map(([name, curve, minimum]) => [
    name!.replace(' ', '-'),
    curve!.split(', ').map((value) => Math.fround(Number(value))),
    Number(minimum),
  ]);
  const curves = Object.entries(formats.DEFAULT_QUALITY_CURVES).map(([name, { coefficients, minimum }]) => [
    name,
    coefficients,
    minimum,
  ]);
  assert.equal(documented, curves);
});

test('every page that names the version of a format names the one that is written', () => {
  const { fragments } = new HoloTensorEncoder('embedded').encode1d(new Float32Array(64).fill(1));
  const written: Record<string, number | undefined> = {
    HoloTensor: formats.HOLO_VERSION,
    'embedded encoding': fragments[0]!.data[0],
    'model file': formats.MODEL_FILE_VERSION,
  };
  const page = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  for (const path of ['docs/formats/README.md', 'CONTRIBUTING.md']) {
    for (const [name, version] of Object.entries(written)) {
      const row = new RegExp(`^\\| \\[${name}\\]\\([^)]*\\) \\|(?:[^|\n]*\\|)*? (\\d+) \\|`, 'm').exec(
        page(path),
      );
      assert.is(Number(row?.[1]), version, `${path}: ${name}`);
    }
  }
  const [, embedded] = /^\| version \| u8 \| (\d+);/m.exec(page('docs/formats/embedded.md')) ?? [];
  assert.is(Number(embedded), written['embedded encoding']);
  const [, modelFile] = /`holostream\.version`: `(\d+)`/.exec(page('docs/formats/model-file.md')) ?? [];
  assert.is(Number(modelFile), written['model file']);
});

test.run();
