/**
 * `openModel` for programs that are bundled into one file: an extension, a classic script, a worker. Where bundlers split
 * code, `holostream` loads as little, and does more.
 *
 * It opens model files and safetensors, also in shards, by URL, from a Blob, a stream or a source. What it does not have is
 * an UnsupportedError: other encodings than the embedded one, engines without WebAssembly, workers, model directories,
 * other formats, files on disk, SHA-256.
 *
 * @example
 * import { openModel } from 'holostream/lean';
 *
 * const model = await openModel('https://example.org/model/model.holo.safetensors');
 * const tensors = await model.load({ quality: 0.97 });
 *
 * @module
 */

export type { LoadOptions } from './models/load.js';
export type { Model, ModelTensorInfo } from './models/model.js';
export { type OpenModelOptions, openModel } from './models/openModel.js';
export type { LoadedTensor } from './models/output.js';
// The bundle has classes of its own: those of `holostream` are others.
export {
  ArgumentError,
  ChecksumError,
  CodecError,
  FormatError,
  HolostreamError,
  LimitError,
  SourceChangedError,
  SourceError,
  TruncatedError,
  UnsupportedError,
} from './src/errors.js';
