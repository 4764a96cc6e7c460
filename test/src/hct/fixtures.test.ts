import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctDecoderStream } from '../../../operators/hct.js';
import { HctReader } from '../../../readers/hctReader.js';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import { collectTensor } from '../../../sinks/tensor.js';
import { bytesSource } from '../../../sources/bytes.js';
import { BLOCK_INDEX_SIZE } from '../../../src/hct/blockIndex.js';
import { HCT_HEADER_SIZE } from '../../../src/hct/constants.js';
import { parseHctHeader } from '../../../src/hct/header.js';
import { HctParser } from '../../../src/hct/parser.js';
import type { HctStart } from '../../../src/hct/parts.js';
import {
  serializeBlockIndex,
  serializeBlockIndexV2,
  serializeHctHeader,
} from '../../../src/hct/serialize.js';
import { serializeQuantizationMetadata } from '../../../src/tensor/serializeQuantization.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { hctFixtures } from '../../helpers/hctFixtures.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { chunked, collect } from '../../helpers/streams.js';

const test = suite('HCT: the files of the reference');

for (const file of hctFixtures) {
  test(`${file.file}: header fields`, () => {
    const header = parseHctHeader(file.bytes);
    for (const field of ['version', 'algorithm', 'dtype', 'blockSize'] as const) {
      assert.is(header[field], file[field], field);
    }
    assert.equal([...header.shape], file.shape);
    assert.is(header.originalSize, file.raw.length);
  });

  test(`${file.file}: streamed in chunks of 1, 7 and 4096 bytes`, async () => {
    for (const size of [1, 7, 4096]) {
      const stream = chunked(file.bytes, size).pipeThrough(new HctDecoderStream());
      assert.equal(Buffer.concat(await collect(stream)), Buffer.from(file.raw), `chunks of ${size}`);
      const tensor = await collectTensor(chunked(file.bytes, size));
      assert.equal(Buffer.from(viewBytes(tensor.data)), Buffer.from(file.raw));
      assert.equal([tensor.dtype, [...tensor.shape]], [file.dtype, file.shape]);
    }
  });

  test(`${file.file}: by random access`, async () => {
    const reader = await HctReader.open(bytesSource(file.bytes));
    assert.equal(Buffer.from(viewBytes((await reader.readAll()).data)), Buffer.from(file.raw));
    const { blockCount, blockSize } = reader.header;
    for (let i = 0; i < blockCount; i++) {
      const expected = file.raw.subarray(i * blockSize, (i + 1) * blockSize);
      assert.equal(Buffer.from(await reader.readBlock(i)), Buffer.from(expected), `block ${i}`);
    }
    assert.is(await reader.validateChecksums(), file.blockChecksums ? blockCount : 0);
    assert.is(reader.quantization?.groupSize, file.quantization?.groupSize);
    assert.is(reader.quantization?.scaleBits, file.quantization?.scaleBits);
    assert.is(reader.quantization?.zeroPoint, file.quantization?.zeroPoint);
    assert.is(reader.quantization?.perGroupScales, file.quantization?.hasPerGroupScales);
    assert.is(reader.groupScales, undefined, 'the reference never writes them');
  });

  test(`${file.file}: taken apart and put together again, byte for byte`, () => {
    const parts = [...new HctParser().push(file.bytes)];
    const { header, quantization, blocks } = parts[0] as HctStart;
    const serialize = blocks.entrySize === BLOCK_INDEX_SIZE ? serializeBlockIndex : serializeBlockIndexV2;
    const pieces = [
      serializeHctHeader(header),
      ...(quantization === undefined ? [] : [serializeQuantizationMetadata(quantization)]),
      ...Array.from({ length: blocks.length }, (_, i) => serialize(blocks.entry(i))),
      ...parts.flatMap((part) => (part.kind === 'block' ? [part.compressed] : [])),
    ];
    assert.is(pieces[0]!.length, HCT_HEADER_SIZE);
    assert.equal(Buffer.concat(pieces), Buffer.from(file.bytes));
  });
}

test('rows of a matrix read only the blocks they lie in, and none again that came with the start', async () => {
  for (const file of [...hctFixtures.filter(({ shape }) => shape.length > 1), await largeMatrix()]) {
    const source = bytesSource(file.bytes);
    let bytesRead = 0;
    const counting = {
      size: source.size,
      stream: source.stream.bind(source),
      read: (offset: number, length: number) => {
        bytesRead += length;
        return source.read(offset, length);
      },
    };
    const reader = await HctReader.open(counting);
    const [rows] = file.shape as [number];
    const bytesPerRow = file.raw.length / rows;
    const opened = bytesRead;
    const { blocksOffset } = [...new HctParser().push(file.bytes)][0] as HctStart;
    for (const [start, end] of [
      [0, 1],
      [1, 3],
      [rows - 1, rows],
      [rows, rows],
      [0, rows],
    ] as const) {
      bytesRead = 0;
      const tensor = await reader.readRows(start, end);
      const expected = file.raw.subarray(start * bytesPerRow, end * bytesPerRow);
      assert.equal(Buffer.from(viewBytes(tensor.data)), Buffer.from(expected));
      assert.equal([...tensor.shape], [end - start, ...file.shape.slice(1)]);
      const first = Math.floor((start * bytesPerRow) / file.blockSize);
      const last = end === start ? first : Math.ceil((end * bytesPerRow) / file.blockSize);
      let needed = 0;
      let blocksEnd = blocksOffset;
      for (let i = 0; i < last; i++) {
        const { compressedSize } = reader.blocks.entry(i);
        blocksEnd += compressedSize;
        if (i >= first) needed += compressedSize;
      }
      assert.is(bytesRead, blocksEnd <= FIRST_READ ? 0 : needed);
    }
    const blocksEnd = blocksOffset + reader.header.compressedSize;
    const after = file.bytes.length - Math.max(blocksEnd, FIRST_READ);
    assert.is(opened, Math.min(FIRST_READ, file.bytes.length) + Math.max(0, after));
  }
});

/** What opening a file reads, whatever it needs of it. */
const FIRST_READ = 65536;

/** Most of its blocks are beyond what opening reads. */
async function largeMatrix() {
  const shape = [300, 1000];
  const raw = pseudoRandomBytes(300_000, 1);
  const sink = memorySink();
  const blockSize = 4096;
  const writer = new HctWriter(sink, { dtype: 'I8', shape, blockSize, algorithm: 'lz4' });
  await writer.write(raw);
  await writer.close();
  return { bytes: sink.bytes, raw, shape, blockSize };
}

test.run();
