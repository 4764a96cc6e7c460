/** HoloTensor: one tensor as fragments, any of which may come first, and a quality that is true. */

export * from './constants.js';
export * from './decoder.js';
export * from './encoder.js';
export * from './fitQuality.js';
export type * from './fragment.js';
export {
  type FragmentIndexEntry,
  parseFragmentIndexEntry,
  serializeFragmentIndexEntry,
} from './fragmentIndex.js';
export * from './header.js';
export type { HoloTensorLayout } from './layout.js';
export * from './pack.js';
export * from './parser.js';
export * from './quality.js';
export { type Reconstruction, type ReconstructionOptions, reconstructionOf } from './reconstruction.js';
export type { EmitPolicy, ReconstructOptions } from './reconstructor.js';
export type { UnpackOptions } from './unpack.js';
