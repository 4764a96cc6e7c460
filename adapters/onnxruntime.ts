/**
 * Weights for ONNX Runtime while they load, in browsers (`onnxruntime-web`) and in Node (`onnxruntime-node`): as inputs of the
 * graph, or as its external data. The package is the caller's.
 *
 * @module
 */

export {
  type Feeds,
  type LoadFeedsOptions,
  loadFeeds,
  type OnnxSession,
} from './onnxFeeds.js';
export {
  type LoadedSession,
  type LoadSessionsOptions,
  loadSessions,
  type OnnxSessions,
} from './onnxSessions.js';
export type { GpuBuffer, GpuDevice, OnnxTensors } from './onnxWeight.js';
