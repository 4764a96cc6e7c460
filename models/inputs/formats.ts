import { readStart } from '../../sources/read.js';
import { describeKind, fileKind, PROBE_SIZE, shownStart } from '../../src/bytes/fileKind.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { withPlace } from '../../src/errors/placed.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import { assertSource, type RandomAccessSource, sourceName } from '../../src/source.js';
import { isModelFileHeader } from '../file/headerChecksum.js';
import type { FileOptions, ModelContent } from './content.js';
import { type StartedFile, startFile } from './findModel.js';
import type { ForeignFormat } from './foreign.js';
import { openModelFile } from './modelFile.js';
import { openSafetensors } from './safetensors.js';

type Open = (source: RandomAccessSource, options: FileOptions) => Promise<ModelContent>;

/** How files of each format are opened as models; undefined for formats of a single tensor. */
const OPEN = {
  hct: undefined,
  holotensor: undefined,
  'model-file': openModelFile,
  safetensors: openSafetensors,
} as const satisfies Record<string, Open | undefined>;

/** Kinds of files of other formats, whose tensors load in one piece each: see `foreign.ts`. */
const FOREIGN = ['onnx', 'gguf', 'zip', 'tfjs'] as const satisfies readonly ForeignFormat[];

export type FileFormat = keyof typeof OPEN;

/** The format of a file; undefined for other formats. */
export async function fileFormat(
  source: RandomAccessSource,
  options: AbortOptions = {},
): Promise<FileFormat | undefined> {
  assertSource(source);
  return recogniseFormat(await readStart(source, PROBE_SIZE, options));
}

/**
 * The format of a file that starts with these bytes, because file names may be wrong and pipes have none.
 * @param start its first {@link PROBE_SIZE} bytes, or all of a shorter file
 */
export function recogniseFormat(start: Uint8Array): FileFormat | undefined {
  switch (fileKind(start)) {
    case 'HCT':
      return 'hct';
    case 'HoloTensor':
      return 'holotensor';
    case 'safetensors':
      return isModelFileHeader(start) ? 'model-file' : 'safetensors';
    default:
      return undefined;
  }
}

/**
 * Opens a model of one file, by one read where its header fits into that.
 * @throws UnsupportedError for a file of one tensor; FormatError for one of another kind; what opening the format throws
 */
export async function openOneFile(source: RandomAccessSource, options: FileOptions): Promise<ModelContent> {
  return openStarted(await startFile(source, options), options);
}

/** The same of a file whose start has been read. Bytes like nothing known are for safetensors, whose parser says what is wrong. */
export async function openStarted(started: StartedFile, options: FileOptions): Promise<ModelContent> {
  return withPlace({ file: sourceName(started.source) }, () => openKind(started, options));
}

async function openKind({ source, start }: StartedFile, options: FileOptions): Promise<ModelContent> {
  const kind = fileKind(start);
  const foreign =
    FOREIGN.find((one) => one === kind) ?? (kind === undefined ? namedFormat(options) : undefined);
  if (foreign !== undefined && options.sha256 !== undefined) throw notVerified(foreign);
  if (foreign !== undefined) {
    const { openForeignContent } = await import('./foreignContent.js');
    return openForeignContent(source, foreign, options);
  }
  const isNpy = kind === 'NumPy';
  const format = isNpy ? 'npy' : (recogniseFormat(start) ?? refuseForeign(start) ?? 'safetensors');
  if (options.sha256 !== undefined && format !== 'safetensors') {
    throw notVerified(format);
  }
  const open: Open | undefined = format === 'npy' ? (await import('./npy.js')).openNpy : OPEN[format];
  if (open === undefined) {
    throw new UnsupportedError(
      'Cannot open the file as a model: it holds one tensor; use the reader of its format',
      {
        expected: 'a model file or safetensors',
        actual: format,
      },
    );
  }
  return open(source, options);
}

function notVerified(actual: string): UnsupportedError {
  return new UnsupportedError('Cannot verify the file by a SHA-256: only plain safetensors files can be', {
    actual,
  });
}

/** The head of an ONNX file may begin in any way. */
function namedFormat({ name = '' }: FileOptions): 'onnx' | undefined {
  return /\.onnx$/i.test(name) ? 'onnx' : undefined;
}

function refuseForeign(start: Uint8Array): undefined {
  const kind = fileKind(start);
  if (kind === undefined) return;
  const several = kind === 'shards' || kind === 'manifest';
  throw new FormatError(
    `Cannot open the model: this is ${describeKind(kind)}${several ? '; open it by its URL or path' : ''}`,
    { actual: shownStart(kind, start) },
  );
}
