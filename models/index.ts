/** Loading whole models: progressively, to a quality, in any order. */

export * from './directory/encodeModel.js';
export * from './directory/fileNames.js';
export * from './directory/manifest.js';
export * from './directory/modelReader.js';
export * from './file/index.js';
export * from './file/memoryStagingStore.js';
export type { LoadableTensor, LoadPiece, ModelContent, PieceDecoder, PieceFile } from './inputs/content.js';
export * from './model.js';
export * from './openModel.js';
export type { PlanOptions } from './planning.js';
export type * from './progress.js';
export type {
  Float16ArrayLike,
  LoadedTensor,
  OutputArrays,
  OutputOptions,
  OutputType,
} from './tensorState.js';
