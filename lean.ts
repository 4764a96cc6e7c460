/**
 * `openModel` for programs that are bundled into one file: an extension, a classic script, a worker. Where bundlers split
 * code, `holostream` loads as little, and does more.
 *
 * It opens model files (`*.holo.safetensors`), by URL, from a Blob, a stream or a source, and has all that a model does. What it
 * does not have is an UnsupportedError that names `holostream`: plain safetensors and their shards, other formats, model directories,
 * folders, files on disk, other encodings than the embedded one, engines without WebAssembly, workers.
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
export { type OpenModelOptions, openModel } from './models/openModelFile.js';
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
