import type { SourceInput } from '../platform/byteReader.js';
import { readInput } from '../sources/input.js';
import { readStart } from '../sources/read.js';
import { concatenate } from '../src/bytes/binary.js';
import { isSafetensorsStart, PROBE_SIZE } from '../src/bytes/fileStart.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import { checkTensorBytes, checkTotalBytes, type LimitsOption, limitsOf } from '../src/checks/limits.js';
import { checkOptions } from '../src/checks/options.js';
import { OPEN_RULES } from '../src/checks/rules.js';
import { withPlace } from '../src/errors/placed.js';
import type { SafetensorsDType, SafetensorsHeader } from '../src/safetensors/header.js';
import { parseSafetensorsHeaderBytes, sizeOfSafetensorsHeader } from '../src/safetensors/parse.js';
import { assertSource, type RandomAccessSource, sourceName } from '../src/source.js';
import { type Tensor, viewElements } from '../src/tensor/tensor.js';

export interface ReadSafetensorsHeaderOptions extends AbortOptions, LimitsOption {}

/**
 * Reads and checks only the header of a safetensors file. The size of the file is compared with the header if the
 * source knows it.
 * @param input a source, or anything that bytes come from (see {@link SourceInput})
 * @throws FormatError, TruncatedError, LimitError, SourceError; ArgumentError for an input that gives no bytes
 */
export async function readSafetensorsHeader(
  input: SourceInput,
  options: ReadSafetensorsHeaderOptions = {},
): Promise<SafetensorsHeader> {
  checkOptions(options, OPEN_RULES);
  return readInput(input, (source) => readHeader(source, options));
}

async function readHeader(
  source: RandomAccessSource,
  options: ReadSafetensorsHeaderOptions,
): Promise<SafetensorsHeader> {
  assertSource(source);
  return withPlace({ file: sourceName(source) }, async () => {
    const bytes = await readSafetensorsHeaderBytes(source, options);
    return parseSafetensorsHeaderBytes(bytes, { limits: options.limits, fileSize: source.size });
  });
}

/**
 * The bytes before the tensors: length and JSON, not yet parsed.
 * @throws FormatError, TruncatedError, LimitError, SourceError
 */
export async function readSafetensorsHeaderBytes(
  source: RandomAccessSource,
  { limits, signal }: ReadSafetensorsHeaderOptions = {},
): Promise<Uint8Array> {
  assertSource(source);
  const start = await readStart(source, PROBE_SIZE, { signal });
  if (!isSafetensorsStart(start)) {
    // What can tell what the file is instead is loaded on demand.
    const kinds = await import('../src/bytes/kindOnDemand.js');
    kinds.assertKind(start, 'safetensors');
  }
  const size = sizeOfSafetensorsHeader(start, { limits, fileSize: source.size });
  if (size <= start.length) return start.subarray(0, size);
  // Read first, then allocate, because the length may be wrong.
  const rest = await source.read(start.length, size - start.length, { signal });
  return concatenate([start, rest]);
}

/**
 * All tensors of a safetensors file, by name, in the order of their data: for models that fit memory. The file is a
 * source, or anything that bytes come from (see {@link SourceInput}).
 * If the source returns views of its bytes, as `bytesSource` does, the tensors share their memory.
 *
 * @example
 * const tensors = await readSafetensors(httpSource('https://example.org/model/model.safetensors'));
 *
 * @throws FormatError, TruncatedError, LimitError, SourceError
 */
export async function readSafetensors(
  input: SourceInput,
  options: ReadSafetensorsHeaderOptions = {},
): Promise<Map<string, Tensor<SafetensorsDType>>> {
  checkOptions(options, OPEN_RULES);
  return readInput(input, async (source) => {
    const header = await readHeader(source, options);
    const limits = limitsOf(options);
    for (const { name, byteLength } of header.tensors) checkTensorBytes(limits, byteLength, name);
    checkTotalBytes(limits, header.fileSize - header.byteLength);
    const tensors = new Map<string, Tensor<SafetensorsDType>>();
    for (const { name, dtype, shape, offset, byteLength } of header.tensors) {
      const bytes = await source.read(offset, byteLength, options);
      tensors.set(name, { dtype, shape, data: viewElements(dtype, bytes) });
    }
    return tensors;
  });
}
