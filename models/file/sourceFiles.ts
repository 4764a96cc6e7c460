import { readSafetensorsHeaderBytes } from '../../readers/safetensors.js';
import type { LimitsOption, OpenOptions } from '../../src/checks/limits.js';
import { flag, listOf, oneOf, type Rule, text } from '../../src/checks/options.js';
import { optional, record } from '../../src/checks/rules.js';
import { withPlace } from '../../src/errors/placed.js';
import { ArgumentError, FormatError } from '../../src/errors.js';
import {
  SAFETENSORS_DTYPES,
  SAFETENSORS_LENGTH_SIZE,
  type SafetensorsDeclaration,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from '../../src/safetensors/header.js';
import { parseSafetensorsHeaderBytes } from '../../src/safetensors/parse.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import { type RandomAccessSource, SOURCE, sourceName } from '../../src/source.js';
import { SHAPE } from '../../src/tensor/dtype.js';
import { parsePlainHeader } from './plainHeader.js';
import type { SourceFile } from './plan.js';

/** A file that a model is made from: the only one, or one of several shards. */
export interface ModelSourceFile {
  readonly name: string;
  readonly source: RandomAccessSource;
  /** What a file of another format than safetensors consists of, from its first byte to its last one. */
  readonly layout?: readonly FilePart[] | undefined;
}

/** Part of a file of another format. */
export interface FilePart extends SafetensorsDeclaration {
  /** Bytes around tensors, U8: always stored in front, and of no weight in the quality of the model. */
  readonly isBetween?: boolean | undefined;
}

const PART: Rule<FilePart> = /* @__PURE__ */ record<FilePart>({
  name: text,
  dtype: /* @__PURE__ */ oneOf(SAFETENSORS_DTYPES),
  shape: SHAPE,
  isBetween: /* @__PURE__ */ optional(flag),
});

export const SOURCE_FILES: Rule<readonly ModelSourceFile[]> = /* @__PURE__ */ listOf(
  /* @__PURE__ */ record<ModelSourceFile>({
    name: text,
    source: SOURCE,
    layout: /* @__PURE__ */ optional(/* @__PURE__ */ listOf(PART)),
  }),
);

/** A tensor and the file it is in. */
export interface LocatedTensor extends SafetensorsTensor {
  readonly source: RandomAccessSource;
  /** See {@link FilePart}. */
  readonly isBetween?: boolean | undefined;
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
  for (const { name, source, layout } of inputs) {
    // Decoding would write one over the other.
    if (names.has(name))
      throw new ArgumentError('Cannot encode the model: two of its files have the same name', { name });
    names.add(name);
    const { file, header } = await readSourceFile({ name, source, layout }, options);
    files.push(file);
    for (const [key, value] of header.metadata) if (!metadata.has(key)) metadata.set(key, value);
    const between = new Set(layout?.flatMap((part) => (part.isBetween ? [part.name] : [])));
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name)) {
        throw new FormatError('Cannot encode the model: a tensor is in two files of one model', {
          name: tensor.name,
        });
      }
      tensors.set(tensor.name, { ...tensor, source, isBetween: between.has(tensor.name) });
    }
  }
  return { files, tensors: [...tensors.values()], metadata };
}

/**
 * A file that a model is made from, and what is in it.
 * @throws ArgumentError for a layout that is not that of the file; what reading a header throws
 */
export async function readSourceFile(
  { name, source, layout }: ModelSourceFile,
  options: OpenOptions,
): Promise<{ readonly file: SourceFile; readonly header: Pick<SafetensorsHeader, 'metadata' | 'tensors'> }> {
  return withPlace({ file: sourceName(source) ?? name }, () => readHeader({ name, source, layout }, options));
}

async function readHeader({ name, source, layout }: ModelSourceFile, options: OpenOptions) {
  const isPlain = layout === undefined;
  const bytes = isPlain
    ? await readSafetensorsHeaderBytes(source, options)
    : serializeSafetensorsHeader(layout).bytes;
  const header = parsePlainHeader(bytes, isPlain ? source.size : undefined, options);
  const json = bytes.subarray(SAFETENSORS_LENGTH_SIZE);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
  if (isPlain) return { file: { name, header: text }, header };
  const size = header.fileSize - header.byteLength;
  if (source.size !== undefined && source.size !== size) {
    const details = { name, expected: source.size, actual: size };
    throw new ArgumentError(
      'Cannot encode the model: the layout of a file is not as long as the file',
      details,
    );
  }
  return { file: { name, header: text, bare: true }, header: { ...header, tensors: withoutHeader(header) } };
}

function withoutHeader({ tensors, byteLength }: SafetensorsHeader): SafetensorsTensor[] {
  return tensors.map((tensor) => ({ ...tensor, offset: tensor.offset - byteLength }));
}

/** What precedes the tensors of a source file, byte for byte. */
export function sourceFileHeader(file: SourceFile): Uint8Array {
  return file.bare ? new Uint8Array(0) : headerBytes(file);
}

function headerBytes({ header }: SourceFile): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(SAFETENSORS_LENGTH_SIZE + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, SAFETENSORS_LENGTH_SIZE);
  return bytes;
}

/** The tensors that a source file held, in the order of their data. */
export function sourceFileTensors(file: SourceFile, { limits }: LimitsOption): readonly SafetensorsTensor[] {
  const header = parseSafetensorsHeaderBytes(headerBytes(file), { limits });
  return file.bare ? withoutHeader(header) : header.tensors;
}
