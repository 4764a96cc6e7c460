/** HCT: one tensor in compressed blocks, random access, checksums. */

export * from './blockIndex.js';
export * from './constants.js';
export type { DecodeBlock } from './decodeBlock.js';
export * from './decoder.js';
export * from './decompressor.js';
export * from './encoder.js';
export * from './extension.js';
export * from './header.js';
export * from './layout.js';
export * from './parser.js';
export type * from './parts.js';
export * from './plan.js';
export * from './streamEncoder.js';
export * from './tensorCollector.js';
export * from './verifier.js';
