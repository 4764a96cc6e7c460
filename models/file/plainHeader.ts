import { readSafetensorsHeaderBytes } from '../../readers/safetensors.js';
import type { LimitsOption, OpenOptions } from '../../src/checks/limits.js';
import { withPlace } from '../../src/errors/placed.js';
import { FormatError } from '../../src/errors.js';
import type { SafetensorsDeclaration, SafetensorsHeader } from '../../src/safetensors/header.js';
import { parseSafetensorsHeaderBytes } from '../../src/safetensors/parse.js';
import { type RandomAccessSource, sourceName } from '../../src/source.js';
import { isModelFileHeader } from './headerChecksum.js';
import { METADATA_PREFIX } from './plan.js';

/**
 * The header of a safetensors file whose tensors are what their names say.
 * @throws FormatError for a model file, and for what is left of one, see {@link assertPlain}; TruncatedError, LimitError,
 *   SourceError
 */
export async function readPlainHeader(
  source: RandomAccessSource,
  options: OpenOptions,
): Promise<SafetensorsHeader> {
  return withPlace({ file: sourceName(source) }, async () =>
    parsePlainHeader(await readSafetensorsHeaderBytes(source, options), source.size, options),
  );
}

/**
 * The same of a header that has been read.
 * @param bytes length and JSON: all bytes before the tensors
 */
export function parsePlainHeader(
  bytes: Uint8Array,
  fileSize: number | undefined,
  { limits }: LimitsOption,
): SafetensorsHeader {
  const header = parseSafetensorsHeaderBytes(bytes, { limits, fileSize });
  if (isModelFileHeader(bytes)) {
    throw new FormatError(
      'Cannot read the file as plain safetensors: it is a model file already; decode it first',
    );
  }
  assertPlain(header);
  return header;
}

/**
 * Refuses what is left of a model file without its checksum: damaged, or written anew by another program. Its data would pass
 * for a tensor. A model file has `holostream.…` metadata, and one tensor, `holostream.data`.
 * @throws FormatError
 */
export function assertPlain({
  metadata,
  tensors,
}: {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly SafetensorsDeclaration[];
}): void {
  const names = [...metadata.keys(), ...tensors.map((tensor) => tensor.name)];
  const name = names.find((one) => one.startsWith(METADATA_PREFIX));
  if (name === undefined) return;
  throw new FormatError(
    'Cannot read the tensors: they are the data of a model file without its header checksum; it is damaged, or another program has written its header anew',
    { name },
  );
}
