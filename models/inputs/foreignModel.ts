import type { OpenOptions } from '../../src/checks/limits.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import type { ModelSourceFile } from '../file/sourceFiles.js';

/** How a model of another format is opened. */
export interface ForeignModelOptions extends OpenOptions {
  /** Of the file, which those made of it are named after. Default 'model', with the suffix of its format. */
  readonly name?: string | undefined;
  /**
   * Of ONNX models: what the graph calls the file of its weights, such as 'model.onnx_data' for transformers.js. Default: the name of
   * the model, with `.safetensors`. It cannot be that of the graph, or of a model file.
   */
  readonly weightsName?: string | undefined;
  /** Opens the file of this plain name in the same folder: ONNX models may have their weights in other files. */
  readonly openBeside?: OpenModelFile | undefined;
}

/** A model of another format, as model files are made of it. */
export interface ForeignModel {
  /** What {@link encodeModelFile} takes: its bytes are made of those of the model when they are read. */
  readonly files: readonly ModelSourceFile[];
  /** What is not weights, in files of its own: the graph of an ONNX model, which refers to the first of `files`. */
  readonly beside: readonly ModelSourceFile[];
  /** Closes the files that `openBeside` has opened. */
  close(): Promise<void>;
}

/** What opens the file of a format. */
export type OpenForeign = (source: RandomAccessSource, options: ForeignModelOptions) => Promise<ForeignModel>;
