import { readStart } from '../../sources/read.js';
import { describeKind, type FileKind, fileKind, shownStart } from '../../src/bytes/fileKind.js';
import { PROBE_SIZE } from '../../src/bytes/fileStart.js';
import { callback, checkOptions, type Rules, text } from '../../src/checks/options.js';
import { OPEN_RULES } from '../../src/checks/rules.js';
import { FormatError } from '../../src/errors.js';
import { assertSource, type RandomAccessSource } from '../../src/source.js';
import { isPlainFileName } from '../directory/fileNames.js';
import type { ForeignModel, ForeignModelOptions, OpenForeign } from './foreignModel.js';

const RULES: Rules<ForeignModelOptions> = {
  ...OPEN_RULES,
  name: text,
  weightsName: (name) => !(typeof name === 'string' && isPlainFileName(name)) && 'a plain file name',
  openBeside: callback,
};

/** Formats of others. A new one is a file and a line here, and its kind in `formats.ts`. */
const OPEN = {
  onnx: async () => (await import('./onnx.js')).openOnnx,
  gguf: async () => (await import('./gguf.js')).openGguf,
  zip: async () => (await import('./zip.js')).openZip,
  tfjs: async () => (await import('./tfjs.js')).openTfjs,
} as const satisfies Partial<Record<FileKind, () => Promise<OpenForeign>>>;

export type ForeignFormat = keyof typeof OPEN;

/** Which of these formats a file has, by its first bytes, or where they say nothing by its name. */
export function foreignFormat(start: Uint8Array, name = ''): ForeignFormat | undefined {
  const kind = fileKind(start);
  const suffix = /[^.]*$/.exec(name)![0].toLowerCase();
  return Object.keys(OPEN).find((format): format is ForeignFormat => format === (kind ?? suffix));
}

/**
 * Opens a model of another format (ONNX, GGUF, a checkpoint of PyTorch, an archive of NumPy, the `model.json` of TensorFlow.js) for {@link encodeModelFile}. Only what says where its tensors are is read.
 * @throws FormatError, UnsupportedError, LimitError, SourceError; ArgumentError when `weightsName` is the name of the graph
 *
 * @example
 * const source = await fileSource('model.onnx');
 * const model = await openForeignModel(source, { name: 'model.onnx' });
 * await encodeModelFile(model.files, await fileSink('from-onnx.holo.safetensors'), memoryStagingStore());
 * await source.close();
 */
export async function openForeignModel(
  source: RandomAccessSource,
  options: ForeignModelOptions = {},
): Promise<ForeignModel> {
  assertSource(source);
  checkOptions(options, RULES);
  const start = await readStart(source, PROBE_SIZE, options);
  const format = foreignFormat(start, options.name);
  if (format === undefined) {
    const kind = fileKind(start);
    throw new FormatError(
      `Cannot open the model: it is neither ONNX, GGUF, .npz, a PyTorch checkpoint nor the model.json of TensorFlow.js${kind === undefined ? '' : `, but ${describeKind(kind)}`}`,
      { file: options.name, actual: kind && shownStart(kind, start) },
    );
  }
  const open = await OPEN[format]();
  return open(source, options);
}
