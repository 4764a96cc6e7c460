import { describeKind, fileKind, shownStart } from '../../src/bytes/fileKind.js';
import { FormatError, UnsupportedError } from '../../src/errors.js';
import { type FileOptions, type ModelContent, notVerified } from './content.js';
import type { ForeignFormat } from './foreign.js';
import type { StartedFile } from './startedFile.js';

/** Kinds of files of other formats, whose tensors load in one piece each: see `foreign.ts`. */
const FOREIGN = ['onnx', 'gguf', 'zip', 'tfjs'] as const satisfies readonly ForeignFormat[];

/**
 * Opens a file that is not safetensors as a model: loaded on demand.
 * @returns undefined for bytes like nothing known
 * @throws UnsupportedError for a file of one tensor; FormatError for one of another kind; what opening the format throws
 */
export async function openOtherFormat(
  { source, start }: StartedFile,
  options: FileOptions,
): Promise<ModelContent | undefined> {
  const kind = fileKind(start);
  const foreign =
    FOREIGN.find((one) => one === kind) ?? (kind === undefined ? namedFormat(options) : undefined);
  if (foreign !== undefined) {
    if (options.sha256 !== undefined) throw notVerified(foreign);
    const { openForeignContent } = await import('./foreignContent.js');
    return openForeignContent(source, foreign, options);
  }
  switch (kind) {
    case undefined:
      return undefined;
    case 'NumPy': {
      if (options.sha256 !== undefined) throw notVerified('npy');
      const { openNpy } = await import('./npy.js');
      return openNpy(source, options);
    }
    case 'HCT':
      throw holdsOneTensor('hct', options);
    case 'HoloTensor':
      throw holdsOneTensor('holotensor', options);
    default: {
      const several = kind === 'shards' || kind === 'manifest';
      throw new FormatError(
        `Cannot open the model: this is ${describeKind(kind)}${several ? '; open it by its URL or path' : ''}`,
        { actual: shownStart(kind, start) },
      );
    }
  }
}

function holdsOneTensor(actual: string, { sha256 }: FileOptions): UnsupportedError {
  if (sha256 !== undefined) return notVerified(actual);
  return new UnsupportedError(
    'Cannot open the file as a model: it holds one tensor; use the reader of its format',
    { expected: 'a model file or safetensors', actual },
  );
}

/** The head of an ONNX file may begin in any way. */
function namedFormat({ name = '' }: FileOptions): 'onnx' | undefined {
  return /\.onnx$/i.test(name) ? 'onnx' : undefined;
}
