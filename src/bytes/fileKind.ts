import { FormatError } from '../errors.js';
import { digitsOf, PROBE_SIZE, SAFETENSORS_START } from './fileStart.js';

/**
 * What a file is, as its first bytes tell, before any length in it is believed. A wrong name is a commoner mistake than a
 * damaged file: a server's error page under the name of the model, a clone without its large files, another program's
 * format.
 */

/**
 * Formats by their first bytes, as hexadecimal digits. The first match counts. Formats that readers open have the names
 * that messages use as keys.
 */
const BINARY = {
  // First, because its length may begin like the magic of another format.
  safetensors: [SAFETENSORS_START, 'a safetensors file'],
  HCT: [/^4843544e/, 'an HCT file'],
  HoloTensor: [/^48544e53/, 'a HoloTensor file'],
  zip: [/^504b0[357]0[468]/, 'a zip archive, as PyTorch and NumPy write them'],
  pickle: [/^800[2-5](?!00)/, 'a Python pickle, such as an old PyTorch checkpoint'],
  NumPy: [/^934e554d5059/, 'a NumPy file'],
  hdf5: [/^89484446/, 'an HDF5 file'],
  gguf: [/^47475546/, 'a GGUF file'],
  // The fields of a protocol buffer: a version, then the producer, the graph or the like.
  onnx: [/^08[01].(?:12|1a|22|32|3a|42)/, 'an ONNX file'],
  tflite: [/^.{8}54464c33/, 'a TensorFlow Lite file'],
  gzip: [/^1f8b08/, 'a gzip file; decompress it first'],
  zstd: [/^(?:28b52ffd|5.2a4d18)/, 'a Zstandard file; decompress it first'],
} as const satisfies KindTable;

/** The same for text, which may have a byte order mark. */
const TEXT = {
  lfs: [/^version https?:/, 'a Git LFS pointer; run "git lfs pull"'],
  xml: [/^\s*<(?:\?xml|Error\b)/, 'XML text, such as the error of a server'],
  page: [/^\s*<[!a-z]/i, 'a web page'],
  manifest: [/^\s*\{\s*"format":\s*"holostream-model"/, 'the manifest of a model directory'],
  tfjs: [
    /^\s*(?:\{\s*"(?:modelTopology"|weightsManifest"|format":\s*"(?:graph|layers)-model")|\[\s*\{\s*"(?:paths|weights)":)/,
    'the model.json of a network of TensorFlow.js',
  ],
  shards: [/^\s*\{.*"(?:weight_map|total_size|total_parameters)"/s, 'a shard index'],
  json: [/^\s*(?:\{\s*["}]|\[\s*["[{\d\]])/, 'JSON text'],
  text: [/^[\t\n\r -~]{8}/, 'text'],
} as const satisfies KindTable;

type KindTable = Readonly<Record<string, readonly [RegExp, string]>>;

const DESCRIPTIONS: KindTable = { ...BINARY, ...TEXT };

export type FileKind = keyof typeof BINARY | keyof typeof TEXT;

/** Formats of files that readers open. */
export type OwnKind = 'safetensors' | 'HCT' | 'HoloTensor' | 'NumPy';

/** The kind of a file that starts with these bytes; undefined when they are like nothing known. */
export function fileKind(start: Uint8Array): FileKind | undefined {
  const text = new TextDecoder().decode(start.subarray(0, PROBE_SIZE));
  return match(BINARY, digitsOf(start)) ?? match(TEXT, text);
}

function match<T extends KindTable>(kinds: T, text: string): keyof T | undefined {
  return Object.keys(kinds).find((kind) => kinds[kind]![0].test(text));
}

/** "a web page" */
export function describeKind(kind: FileKind): string {
  return DESCRIPTIONS[kind]![1];
}

/** What a message shows of a text: the error that a server sent. */
export function shownStart(kind: FileKind, start: Uint8Array): string | undefined {
  const shown = kind === 'json' || kind === 'xml' || kind === 'text';
  return shown ? new TextDecoder().decode(start.subarray(0, PROBE_SIZE)) : undefined;
}

/** @throws FormatError when the bytes are the start of another kind of file */
export function assertKind(start: Uint8Array, expected: OwnKind): void {
  const kind = fileKind(start);
  if (kind === undefined || kind === expected) return;
  throw new FormatError(`Cannot read the ${expected} file: this is ${describeKind(kind)}`, {
    offset: 0,
    actual: shownStart(kind, start),
  });
}
