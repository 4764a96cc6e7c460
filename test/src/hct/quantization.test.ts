import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctReader } from '../../../readers/hctReader.js';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { bytesSource } from '../../../sources/bytes.js';
import { concatenate } from '../../../src/bytes/binary.js';
import { ChecksumError, FormatError, HolostreamError } from '../../../src/errors.js';
import { FLAG_QUANTIZATION_CHECKSUM, HCT_HEADER_SIZE } from '../../../src/hct/constants.js';
import type { HctEncodeOptions } from '../../../src/hct/encoder.js';
import { parseHctHeader } from '../../../src/hct/header.js';
import { serializeHctExtension, serializeHctHeader } from '../../../src/hct/serialize.js';
import type { HctTensor } from '../../../src/hct/tensorCollector.js';
import { toFloat32 } from '../../../src/tensor/toFloat32.js';
import { rejects } from '../../helpers/assertions.js';
import { hctFixtures } from '../../helpers/hctFixtures.js';
import { chunked } from '../../helpers/streams.js';

const test = suite('HCT: quantization');

const quantization = {
  scheme: 'asymmetric-int8',
  perGroupScales: true,
  scaleBits: 0x4000, // 2
  zeroPoint: 1,
  groupSize: 8,
} as const;
const groupScales = Uint16Array.of(0x3c00, 0x3800, 0x3400); // 1, 0.5, 0.25
const values = Int8Array.from({ length: 20 }, (_, i) => i - 9);

const GROUPED = { dtype: 'I8', shape: [20], quantization, groupScales } as const;
const WHOLE = { dtype: 'I8', shape: [20], quantization: { ...quantization, perGroupScales: false } } as const;

async function write(options: HctEncodeOptions): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { blockSize: 7, ...options });
  await writer.write(new Uint8Array(values.buffer));
  await writer.close();
  return sink.bytes;
}

/** By random access, and by a stream. */
const readers = [
  async (file: Uint8Array) => (await HctReader.open(bytesSource(file))).readAll(),
  (file: Uint8Array) => collectTensor(chunked(file, 5)),
];

/** The file as versions before 0.2 wrote it: the same up to the section, which had no checksum of the quantization. */
function withoutChecksum(file: Uint8Array, name?: string): Uint8Array {
  const header = parseHctHeader(file);
  const { version, flags, blockCount, compressedSize } = header;
  assert.is(version, 2);
  const end = HCT_HEADER_SIZE + 8 + 16 * blockCount + compressedSize + 2 * groupScales.length;
  const section = name === undefined ? new Uint8Array(0) : serializeHctExtension({ name });
  const older = serializeHctHeader({ ...header, flags: flags & ~FLAG_QUANTIZATION_CHECKSUM });
  return concatenate([older, file.subarray(HCT_HEADER_SIZE, end), section]);
}

const numbers = ({ quantization: metadata, groupScales: scales, ...tensor }: HctTensor) =>
  toFloat32(tensor, { quantization: { metadata: metadata!, groupScales: scales } });

const expected = Float32Array.from(values, (q, i) => (q - 1) * [1, 0.5, 0.25][Math.floor(i / 8)]!);

for (const [what, options] of Object.entries({
  'scales by group': GROUPED,
  'scales by group, and a name': { ...GROUPED, name: 'w' },
  'one scale': WHOLE,
  'a shape behind the blocks': { ...GROUPED, shape: [2, 1, 1, 10] },
})) {
  test(`no flipped bit goes unnoticed: ${what}`, async () => {
    const file = await write(options);
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const flipped = file.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      for (const read of readers) await rejects(read(flipped), HolostreamError);
    }
  });

  test(`read back: ${what}`, async () => {
    const file = await write(options);
    const one = Float32Array.from(values, (q) => (q - 1) * 2);
    for (const read of readers)
      assert.equal(numbers(await read(file)), 'groupScales' in options ? expected : one);
  });
}

test('a change of the metadata or of a scale alone is an error that says so', async () => {
  const file = await write(GROUPED);
  const { blockCount, compressedSize } = parseHctHeader(file);
  const scales = HCT_HEADER_SIZE + 8 + 16 * blockCount + compressedSize;
  for (const at of [HCT_HEADER_SIZE + 2, HCT_HEADER_SIZE + 4, scales, scales + 5]) {
    const flipped = file.slice();
    flipped[at]! ^= 1;
    for (const read of readers)
      await rejects(read(flipped), ChecksumError, /^Cannot use the quantization of the HCT/);
  }
});

test('files without the checksum, as older versions wrote them, are read', async () => {
  for (const name of [undefined, 'w']) {
    const older = withoutChecksum(await write({ ...GROUPED, name }), name);
    for (const read of readers) {
      const tensor = await read(older);
      assert.equal(numbers(tensor), expected);
      assert.is(tensor.name, name);
    }
  }
  // The reference announces scales, and ends the file without them.
  for (const { bytes, quantization: described } of hctFixtures) {
    if (described === undefined) continue;
    for (const read of readers) assert.is((await read(bytes)).groupScales, undefined);
  }
});

test('a section that lacks the checksum which the flags announce, and one that has it though they do not', async () => {
  const file = await write(GROUPED);
  const header = parseHctHeader(file);
  const { blockCount, compressedSize } = header;
  const sectionStart = HCT_HEADER_SIZE + 8 + 16 * blockCount + compressedSize + 2 * groupScales.length;
  const missing = concatenate([file.subarray(0, sectionStart), serializeHctExtension({ name: 'w' })]);
  for (const read of readers)
    await rejects(read(missing), FormatError, /checksum of the quantization is missing/);
  const denied = { ...header, flags: (header.flags & ~FLAG_QUANTIZATION_CHECKSUM) | 0x0008 };
  const wrong = concatenate([
    serializeHctHeader(denied),
    file.subarray(HCT_HEADER_SIZE, sectionStart),
    serializeHctExtension({ name: 'w', quantization: '0123456789abcdef' }),
  ]);
  for (const read of readers) await rejects(read(wrong), ChecksumError, /quantization/);
});

test('group size 0: one group, whose scale is that of the tensor; none is stored', async () => {
  const one = { ...quantization, groupSize: 0 };
  const file = await write({ dtype: 'I8', shape: [20], quantization: one });
  for (const read of readers) {
    const tensor = await read(file);
    assert.is(tensor.groupScales, undefined);
    assert.equal(
      numbers(tensor),
      Float32Array.from(values, (q) => (q - 1) * 2),
    );
  }
});

test.run();
