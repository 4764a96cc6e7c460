/**
 * Weights for TensorFlow.js: into networks that exist, while they load, and as what `tf.loadLayersModel` and `tf.loadGraphModel` read.
 * The package is the caller's.
 *
 * @module
 */

export { type IoHandlerOptions, ioHandler, type TfArtifacts, type TfModelJson } from './tfHandler.js';
export type { NamingOptions } from './tfNames.js';
export {
  type LoadedWeights,
  type LoadWeightsOptions,
  loadWeights,
  type Tf,
  type TfGraphModel,
  type TfLayersModel,
} from './tfWeights.js';
