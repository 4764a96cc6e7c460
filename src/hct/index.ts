/** HCT: one tensor in compressed blocks, random access, checksums. */

export * from './blockIndex.js';
export * from './blockStages.js';
export * from './constants.js';
export { type DecodeBlock, decompressBlock, type HctDecodeOptions, verifyBlock } from './decodeBlock.js';
export * from './decoder.js';
export * from './encoder.js';
export {
  HCT_EXTENSION_CHECKSUM_SIZE,
  HCT_EXTENSION_MAGIC,
  HCT_EXTENSION_MAX_SIZE,
  HCT_EXTENSION_PREFIX_SIZE,
  type HctExtension,
  parseHctExtensionBody,
  parseHctExtensionPrefix,
  serializeHctExtension,
} from './extension.js';
export {
  blockLength,
  type HctHeader,
  hasShapeInExtension,
  parseHctHeader,
  serializeHctHeader,
} from './header.js';
export * from './parser.js';
export type * from './parts.js';
export * from './plan.js';
export * from './tensorCollector.js';
