import { readStart } from '../../sources/read.js';
import { fileKind } from '../../src/bytes/fileKind.js';
import { isSafetensorsStart, PROBE_SIZE } from '../../src/bytes/fileStart.js';
import type { AbortOptions } from '../../src/checks/abortOptions.js';
import { assertSource, type RandomAccessSource } from '../../src/source.js';
import { isModelFileHeader } from '../file/headerChecksum.js';
import { type FileOptions, type ModelContent, notVerified } from './content.js';
import { openModelFile } from './modelFile.js';
import { openingStarted, type StartedFile, startFile } from './startedFile.js';

export type FileFormat = 'hct' | 'holotensor' | 'model-file' | 'safetensors';

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

/** The same of a file whose start has been read. */
export function openStarted(started: StartedFile, options: FileOptions): Promise<ModelContent> {
  return openingStarted(started, () => openKind(started, options));
}

async function openKind(started: StartedFile, options: FileOptions): Promise<ModelContent> {
  const { source, start } = started;
  if (!isSafetensorsStart(start)) {
    const { openOtherFormat } = await import('./otherFormats.js');
    const opened = await openOtherFormat(started, options);
    if (opened !== undefined) return opened;
    // The parser of safetensors says what is wrong with bytes like nothing known.
  } else if (isModelFileHeader(start)) {
    if (options.sha256 !== undefined) throw notVerified('model-file');
    return openModelFile(source, options);
  }
  // Loaded on demand, as other formats: most pages open model files.
  const { openSafetensors } = await import('./safetensors.js');
  return openSafetensors(source, options);
}
