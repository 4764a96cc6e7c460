import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BlockIndex,
  type BlockIndexV2,
  COMPRESSION_ALGORITHMS,
  DTYPES,
  ENCODING_CODES,
  QUANTIZATION_SCHEMES,
} from '../formats.js';
import type {
  CompressionAlgorithm,
  DType,
  FragmentIndexEntry,
  HctCompressionStats,
  HctHeader,
  HoloFragment,
  HolographicEncoding,
  HoloTensorHeader,
  QualityCurve,
  QuantizationMetadata,
  QuantizationScheme,
} from '../index.js';
import { exportedNames } from './helpers/exportedNames.js';

const test = suite('names of the reference');

/** Every public name of the Rust crate `haagenti-hct` 0.1.0, and where it is exported here. */
const VALUES: readonly (readonly [reference: string, entry: string, ...names: string[]])[] = [
  ['DEFAULT_BLOCK_SIZE', 'holostream/formats', 'DEFAULT_BLOCK_SIZE'],
  ['FLAG_BLOCK_CHECKSUMS', 'holostream/formats', 'FLAG_BLOCK_CHECKSUMS'],
  ['FLAG_HEADER_CHECKSUM', 'holostream/formats', 'FLAG_HEADER_CHECKSUM'],
  ['FLAG_HOLOGRAPHIC', 'holostream/formats', 'FLAG_HOLOGRAPHIC'],
  ['FLAG_QUANTIZATION', 'holostream/formats', 'FLAG_QUANTIZATION'],
  ['FLAG_TENSOR_NAME', 'holostream/formats', 'FLAG_TENSOR_NAME'],
  ['HCT_MAGIC', 'holostream/formats', 'HCT_MAGIC'],
  ['HCT_VERSION', 'holostream/formats', 'HCT_VERSION'],
  ['HCT_VERSION_V2', 'holostream/formats', 'HCT_VERSION_V2'],
  ['HctHeader', 'holostream/formats', 'parseHctHeader', 'serializeHctHeader'],
  ['BlockIndex', 'holostream/formats', 'serializeBlockIndex', 'parseBlockTable'],
  ['BlockIndexV2', 'holostream/formats', 'serializeBlockIndexV2', 'parseBlockTable'],
  [
    'QuantizationMetadata',
    'holostream/formats',
    'parseQuantizationMetadata',
    'serializeQuantizationMetadata',
  ],
  ['CompressionAlgorithm', 'holostream/formats', 'COMPRESSION_ALGORITHMS'],
  ['DType', 'holostream/formats', 'DTYPES'],
  ['QuantizationScheme', 'holostream/formats', 'QUANTIZATION_SCHEMES'],
  ['HolographicEncoding', 'holostream/formats', 'ENCODINGS'],
  ['HctReader', 'holostream', 'HctReader'],
  ['HctReaderV2', 'holostream', 'HctReader'],
  ['HctWriter', 'holostream', 'HctWriter'],
  ['HctWriterV2', 'holostream', 'HctWriter'],
  ['compress_file', 'holostream/node', 'compressFile'],
  ['ChecksumError', 'holostream', 'ChecksumError'],
  ['Error', 'holostream', 'HolostreamError'],
  ['HOLO_FLAG_ESSENTIAL_FIRST', 'holostream/formats', 'HOLO_FLAG_ESSENTIAL_FIRST'],
  ['HOLO_FLAG_FRAGMENT_CHECKSUMS', 'holostream/formats', 'HOLO_FLAG_FRAGMENT_CHECKSUMS'],
  ['HOLO_FLAG_HEADER_CHECKSUM', 'holostream/formats', 'HOLO_FLAG_HEADER_CHECKSUM'],
  ['HOLO_FLAG_INTERLEAVED', 'holostream/formats', 'HOLO_FLAG_INTERLEAVED'],
  ['HOLO_FLAG_QUALITY_CURVE', 'holostream/formats', 'HOLO_FLAG_QUALITY_CURVE'],
  ['HOLO_FLAG_QUANTIZATION', 'holostream/formats', 'HOLO_FLAG_QUANTIZATION'],
  ['HOLO_MAGIC', 'holostream/formats', 'HOLO_MAGIC'],
  ['HOLO_VERSION', 'holostream/formats', 'HOLO_VERSION'],
  ['HoloTensorHeader', 'holostream/formats', 'parseHoloTensorHeader', 'serializeHoloTensorHeader'],
  ['FragmentIndexEntry', 'holostream/formats', 'parseFragmentIndexEntry', 'serializeFragmentIndexEntry'],
  ['QualityCurve', 'holostream/formats', 'QualityCurve'],
  ['HoloTensorEncoder', 'holostream', 'HoloTensorEncoder'],
  ['HoloTensorDecoder', 'holostream', 'HoloTensorDecoder'],
  ['SpectralEncoder', 'holostream/formats', 'SpectralEncoder'],
  ['SpectralDecoder', 'holostream/formats', 'SpectralDecoder'],
  ['RphEncoder', 'holostream/formats', 'RandomProjectionEncoder'],
  ['RphDecoder', 'holostream/formats', 'RandomProjectionDecoder'],
  ['LrdfEncoder', 'holostream/formats', 'LowRankEncoder'],
  ['LrdfDecoder', 'holostream/formats', 'LowRankDecoder'],
  ['HoloTensorReader', 'holostream', 'HoloTensorReader'],
  ['HoloTensorWriter', 'holostream', 'HoloTensorWriter'],
  ['open_holotensor', 'holostream/node', 'openHoloTensor'],
  ['read_holotensor', 'holostream/node', 'readHoloTensor'],
  ['write_holotensor', 'holostream/node', 'writeHoloTensor'],
  ['encode_to_file', 'holostream/node', 'encodeToFile'],
  ['decode_from_file', 'holostream/node', 'decodeFromFile'],
  ['decode_from_file_progressive', 'holostream/node', 'decodeFromFileProgressive'],
  ['dct_1d', 'holostream/formats', 'dct1d'],
  ['dct_2d', 'holostream/formats', 'dct2d'],
  ['idct_1d', 'holostream/formats', 'idct1d'],
  ['idct_2d', 'holostream/formats', 'idct2d'],
  ['SeededRng', 'holostream/formats', 'SeededRng'],
];

test('every value is exported', async () => {
  const exported = await exportedNames();
  for (const [reference, entry, ...names] of VALUES) {
    for (const name of names) assert.ok(exported[entry]!.includes(name), `${reference}: ${name} of ${entry}`);
  }
});

/** Its public types: the compiler misses one that is gone. */
export type ReferenceTypes = [
  BlockIndex,
  BlockIndexV2,
  CompressionAlgorithm,
  DType,
  FragmentIndexEntry,
  HctCompressionStats,
  HctHeader,
  HoloFragment,
  HolographicEncoding,
  HoloTensorHeader,
  QualityCurve,
  QuantizationMetadata,
  QuantizationScheme,
];

test('enumerations are unions of strings, in tables by their codes', () => {
  assert.equal(COMPRESSION_ALGORITHMS, ['lz4', 'zstd']);
  // The last two are holostream's.
  assert.equal(DTYPES, ['F32', 'F16', 'BF16', 'I8', 'I4', 'F8_E4M3', 'F8_E5M2']);
  assert.equal(QUANTIZATION_SCHEMES, ['none', 'gptq-int4', 'awq-int4', 'symmetric-int8', 'asymmetric-int8']);
  const codes = Object.entries(ENCODING_CODES);
  assert.equal(codes, [
    ['spectral', 0],
    ['random-projection', 1],
    ['low-rank', 2],
    ['embedded', 16],
  ]);
});

test.run();
