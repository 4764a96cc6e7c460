import { HctReader } from '../../readers/hctReader.js';
import { FLAG_BLOCK_CHECKSUMS, FLAG_HEADER_CHECKSUM } from '../../src/hct/constants.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { QuantizationMetadata } from '../../src/tensor/quantization.js';
import { formatBytes } from '../progress.js';
import { facts, formatShape } from '../report.js';
import { type Report, ratioOf } from './report.js';

export async function examineHct(source: RandomAccessSource): Promise<Report> {
  const { header, name, shape, quantization } = await HctReader.open(source);
  const { version, dtype, algorithm, originalSize, compressedSize, blockSize, blockCount, flags } = header;
  const fileSize = source.size ?? 0;
  const ratio = ratioOf(originalSize, fileSize);
  const blockChecksums = (flags & FLAG_BLOCK_CHECKSUMS) !== 0;
  const headerChecksum = (flags & FLAG_HEADER_CHECKSUM) !== 0;
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
  const checked = [headerChecksum && 'header', blockChecksums && 'blocks'].filter((part) => part !== false);
  const lines = facts({
    format: `HCT, version ${version}`,
    name,
    tensor: `${dtype} ${formatShape(shape)}, ${formatBytes(originalSize)}`,
    file: `${formatBytes(fileSize)}, ratio ${ratio.toFixed(3)}`,
    blocks: `${blockCount} of ${formatBytes(blockSize)}, ${algorithm}`,
    checksums: checked.join(' and ') || 'none',
    quantization: quantization && describeQuantization(quantization),
  });
  return { data, lines };
}

function describeQuantization({ scheme, groupSize }: QuantizationMetadata): string {
  return groupSize === 0 ? `${scheme}, one scale` : `${scheme}, groups of ${groupSize}`;
}
