import { viewOf } from '../../src/bytes/binary.js';
import { UnsupportedError } from '../../src/errors.js';
import { HCT_MAGIC } from '../../src/hct/constants.js';
import { HOLO_MAGIC } from '../../src/holotensor/constants.js';
import type { OpenOptions } from '../../src/limits.js';
import { type AbortOptions, assertSource, type RandomAccessSource } from '../../src/source.js';
import { isModelFileHeader } from '../file/headerChecksum.js';
import type { ModelContent } from './content.js';
import { openModelFile } from './modelFile.js';
import { openSafetensors } from './safetensors.js';

interface FormatEntry {
  /** @param start the file's first bytes, up to {@link PROBE_SIZE} of them */
  matches(start: Uint8Array): boolean;
  /** Opens the file as a model; undefined for formats of a single tensor. */
  readonly open: ((source: RandomAccessSource, options: OpenOptions) => Promise<ModelContent>) | undefined;
}

/** How many of a file's first bytes tell the formats apart. */
export const PROBE_SIZE = 64;

/**
 * The formats of files by their first bytes, because file names may be wrong and pipes have none. The first match
 * counts.
 */
const FORMATS = {
  hct: { matches: (start) => magicOf(start) === HCT_MAGIC, open: undefined },
  holotensor: { matches: (start) => magicOf(start) === HOLO_MAGIC, open: undefined },
  // Before safetensors: a model file is a safetensors file, too.
  'model-file': { matches: isModelFileHeader, open: openModelFile },
  safetensors: { matches: isSafetensorsHeader, open: openSafetensors },
} as const satisfies Record<string, FormatEntry>;

export type FileFormat = keyof typeof FORMATS;

/** The format of a file; undefined when it is none of ours. */
export async function fileFormat(
  source: RandomAccessSource,
  options: AbortOptions = {},
): Promise<FileFormat | undefined> {
  assertSource(source);
  const start = await source.read(0, Math.min(PROBE_SIZE, source.size ?? PROBE_SIZE), options);
  return recogniseFormat(start);
}

/**
 * The format of a file that starts with these bytes.
 * @param start its first {@link PROBE_SIZE} bytes, or all of a shorter file
 */
export function recogniseFormat(start: Uint8Array): FileFormat | undefined {
  return (Object.keys(FORMATS) as FileFormat[]).find((format) => FORMATS[format].matches(start));
}

/**
 * Opens a model of one file. An unknown format is opened as safetensors, whose parser says what is wrong.
 * @throws UnsupportedError for a file of one tensor; what opening the format throws
 */
export async function openOneFile(source: RandomAccessSource, options: OpenOptions): Promise<ModelContent> {
  const format = (await fileFormat(source, options)) ?? 'safetensors';
  const { open } = FORMATS[format];
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

function magicOf(start: Uint8Array): number | undefined {
  return start.length < 4 ? undefined : viewOf(start).getUint32(0, true);
}

/** Eight bytes of length, of which no header needs the upper four, then JSON. */
function isSafetensorsHeader(start: Uint8Array): boolean {
  return start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0);
}
