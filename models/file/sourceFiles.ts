import { readSafetensorsHeaderBytes } from '../../readers/safetensors.js';
import type { LimitsOption, OpenOptions } from '../../src/checks/limits.js';
import { listOf, type Rule, text } from '../../src/checks/options.js';
import { record } from '../../src/checks/rules.js';
import { ArgumentError, FormatError } from '../../src/errors.js';
import { SAFETENSORS_LENGTH_SIZE, type SafetensorsTensor } from '../../src/safetensors/header.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { type RandomAccessSource, SOURCE } from '../../src/source.js';
import { parsePlainHeader } from './plainHeader.js';
import type { SourceFile } from './plan.js';

/** A safetensors file that a model is made from: the only one, or one of several shards. */
export interface ModelSourceFile {
  readonly name: string;
  readonly source: RandomAccessSource;
}

export const SOURCE_FILES: Rule<readonly ModelSourceFile[]> = /* @__PURE__ */ listOf(
  /* @__PURE__ */ record({ name: text, source: SOURCE }),
);

/** A tensor and the file it is in. */
export interface LocatedTensor extends SafetensorsTensor {
  readonly source: RandomAccessSource;
}

export interface ModelSource {
  readonly files: readonly SourceFile[];
  /** Of all files, in order. */
  readonly tensors: readonly LocatedTensor[];
  /** Of all files; if two disagree about a key, the value of the first one. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * @throws ArgumentError when two files have the same name; FormatError when they hold a tensor of the same name, or one
 *   is a model file already; what reading their headers throws
 */
export async function readModelSource(
  inputs: readonly ModelSourceFile[],
  options: OpenOptions,
): Promise<ModelSource> {
  const files: SourceFile[] = [];
  const tensors = new Map<string, LocatedTensor>();
  const metadata = new Map<string, string>();
  const names = new Set<string>();
  for (const { name, source } of inputs) {
    // Decoding would write one over the other.
    if (names.has(name))
      throw new ArgumentError('Cannot encode the model: two of its files have the same name', { name });
    names.add(name);
    const bytes = await readSafetensorsHeaderBytes(source, options);
    const header = parsePlainHeader(bytes, source.size, options);
    const json = bytes.subarray(SAFETENSORS_LENGTH_SIZE);
    files.push({ name, header: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json) });
    for (const [key, value] of header.metadata) if (!metadata.has(key)) metadata.set(key, value);
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name)) {
        throw new FormatError('Cannot encode the model: a tensor is in two files of one model', {
          name: tensor.name,
        });
      }
      tensors.set(tensor.name, { ...tensor, source });
    }
  }
  return { files, tensors: [...tensors.values()], metadata };
}

/** The header of a source file, byte for byte. */
export function sourceFileHeader({ header }: SourceFile): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(SAFETENSORS_LENGTH_SIZE + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, SAFETENSORS_LENGTH_SIZE);
  return bytes;
}

/** The tensors that a source file held, in the order of their data. */
export function sourceFileTensors(file: SourceFile, { limits }: LimitsOption): readonly SafetensorsTensor[] {
  return parseSafetensorsHeader(sourceFileHeader(file), { limits }).tensors;
}
