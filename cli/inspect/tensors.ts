import { HctSourceReader } from '../../readers/hctSourceReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import type { OpenOptions } from '../../src/checks/limits.js';
import {
  FLAG_BLOCK_CHECKSUMS,
  FLAG_HEADER_CHECKSUM,
  FLAG_QUANTIZATION_CHECKSUM,
} from '../../src/hct/constants.js';
import {
  HOLO_FLAG_ESSENTIAL_FIRST,
  HOLO_FLAG_FRAGMENT_CHECKSUMS,
  HOLO_FLAG_HEADER_CHECKSUM,
  HOLO_FLAG_INTERLEAVED,
  HOLO_FLAG_QUALITY_CURVE,
} from '../../src/holotensor/constants.js';
import { fragmentAlgorithm } from '../../src/holotensor/unpack.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { QuantizationMetadata } from '../../src/tensor/quantization.js';
import { formatBytes } from '../progress.js';
import { describeReach, isCutOff, reachOfTensor } from '../reach.js';
import { counted, facts, formatShape, type Report, ratioOf, table } from '../report.js';

export async function examineHct(source: RandomAccessSource, options: OpenOptions): Promise<Report> {
  const { header, name, shape, quantization } = await HctSourceReader.open(source, options);
  const { version, dtype, algorithm, originalSize, compressedSize, blockSize, blockCount, flags } = header;
  const fileSize = source.size ?? 0;
  const ratio = ratioOf(originalSize, fileSize);
  const blockChecksums = (flags & FLAG_BLOCK_CHECKSUMS) !== 0;
  const headerChecksum = (flags & FLAG_HEADER_CHECKSUM) !== 0;
  const quantizationChecksum = (flags & FLAG_QUANTIZATION_CHECKSUM) !== 0;
  const data = {
    ...{
      format: 'hct',
      version,
      name,
      dtype,
      shape,
      algorithm,
      originalSize,
      compressedSize,
      fileSize,
      ratio,
    },
    ...{ blockSize, blockCount, headerChecksum, blockChecksums, quantization },
  };
  const checked = [
    headerChecksum && 'header',
    blockChecksums && 'blocks',
    quantizationChecksum && 'quantization',
  ].filter((part) => part !== false);
  const lines = facts({
    format: `HCT, version ${version}`,
    name,
    tensor: `${dtype} ${formatShape(shape)}, ${formatBytes(originalSize)}`,
    file: `${formatBytes(fileSize)}, ratio ${ratio.toFixed(3)}`,
    blocks: `${blockCount} of ${formatBytes(blockSize)}, ${algorithm}`,
    checksums: checked.join(', ') || 'none',
    quantization: quantization && describeQuantization(quantization),
  });
  return { data, lines };
}

function describeQuantization({ scheme, groupSize }: QuantizationMetadata): string {
  return groupSize === 0 ? `${scheme}, one scale` : `${scheme}, groups of ${groupSize}`;
}

export async function examineHoloTensor(source: RandomAccessSource, options: OpenOptions): Promise<Report> {
  const reader = await HoloTensorReader.open(source, { ...options, partial: true });
  const { header, entries, dataStart } = reader;
  const { encoding, dtype, shape, originalSize, seed, norm, qualityCurve, quantization, flags } = header;
  const has = (flag: number) => (flags & flag) !== 0;
  const fileSize = source.size ?? 0;
  const ratio = ratioOf(originalSize, fileSize);
  const reach = reachOfTensor(reader, source);
  const fragments = entries.map((entry) => {
    const { index, offset, compressedSize, uncompressedSize } = entry;
    const compression = fragmentAlgorithm(entry) ?? 'none';
    return { index, offset: dataStart + offset, storedSize: compressedSize, uncompressedSize, compression };
  });
  const properties = {
    essentialFirst: has(HOLO_FLAG_ESSENTIAL_FIRST),
    interleaved: has(HOLO_FLAG_INTERLEAVED),
    fittedCurve: has(HOLO_FLAG_QUALITY_CURVE),
    headerChecksum: has(HOLO_FLAG_HEADER_CHECKSUM),
    fragmentChecksums: has(HOLO_FLAG_FRAGMENT_CHECKSUMS),
  };
  const data = {
    ...{
      format: 'holotensor',
      encoding,
      dtype,
      shape,
      originalSize,
      fileSize,
      ratio,
      seed: String(seed),
      norm,
    },
    qualityCurve: { coefficients: qualityCurve.coefficients, minimum: qualityCurve.minimum },
    ...properties,
    quantization,
    fragments,
  };
  const lines = [
    ...facts({
      format: `HoloTensor, ${encoding}`,
      tensor: `${dtype} ${formatShape(shape)}, ${formatBytes(originalSize)}`,
      file: isCutOff(reach)
        ? `${describeReach(reach)}, with ${reader.available.length} of ${entries.length} fragments`
        : `${formatBytes(fileSize)}, ratio ${ratio.toFixed(3)}`,
      seed: String(seed),
      norm: norm?.toPrecision(7),
      curve: `${qualityCurve.coefficients.map((c) => c.toPrecision(4)).join(', ')}; at least ${counted(qualityCurve.minimum, 'fragment')}`,
      flags: Object.entries(properties)
        .filter(([, set]) => set)
        .map(([name]) => name)
        .join(', '),
    }),
    '',
    ...table(
      ['fragment', 'at byte', 'stored', 'uncompressed', 'compression'],
      fragments.map(({ index, offset, storedSize, uncompressedSize, compression }) =>
        [index, offset, storedSize, uncompressedSize, compression].map(String),
      ),
    ),
  ];
  return { data, lines };
}
