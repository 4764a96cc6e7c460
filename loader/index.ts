/** Loading whole models: progressively, to a quality, in any order. */

export type { LoadableTensor, LoadPiece, ModelContent, PieceDecoder, PieceFile } from './content.js';
export * from './model.js';
export * from './openModel.js';
export type { PlanOptions } from './planning.js';
export type * from './progress.js';
export type { Float16ArrayLike, LoadedTensor, OutputOptions } from './tensorState.js';
