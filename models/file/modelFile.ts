import { PARTIAL_RULES, type PartialOption } from '../../readers/partial.js';
import { readSafetensorsHeaderBytes } from '../../readers/safetensors.js';
import { asBytes, type BytesLike } from '../../src/bytes/binary.js';
import type { LimitsOption, OpenOptions } from '../../src/checks/limits.js';
import { checkOptions, type Rules } from '../../src/checks/options.js';
import { OPEN_RULES } from '../../src/checks/rules.js';
import { withPlace } from '../../src/errors/placed.js';
import { FormatError } from '../../src/errors.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { xxh3 } from '../../src/kernels/xxh3/checksum.js';
import type { Hash } from '../../src/kernels/xxh3/interface.js';
import type { SafetensorsDType, SafetensorsHeader, SafetensorsTensor } from '../../src/safetensors/header.js';
import { parseSafetensorsHeaderBytes } from '../../src/safetensors/parse.js';
import { assertSource, type RandomAccessSource, sourceName } from '../../src/source.js';
import { verifyHeader } from './headerChecksum.js';
import { parseModelPlan } from './parsePlan.js';
import { DATA_NAME, type EncodedTensorPlan, METADATA_PREFIX, type ModelPlan } from './plan.js';
import { sourceFileTensors } from './sourceFiles.js';

/** A run of bytes of a model file that belongs to one tensor. */
export interface ModelPiece {
  /** From the start of the file. */
  readonly offset: number;
  readonly length: number;
}

/** A tensor of a model file. Dtype, shape and size are those of the tensor that it was made of. */
export interface ModelFileTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** In the quality of the model. */
  readonly weight: number;
  /** The plan of an encoded tensor; undefined for a plain one. */
  readonly encoded: EncodedTensorPlan | undefined;
  /** The header piece and the fragments in their order, or the single piece of a plain tensor. */
  readonly pieces: readonly ModelPiece[];
  /** XXH3-64 of the first piece, 16 hexadecimal digits. */
  readonly firstPieceHash: string;
}

/** What the header of a model file says: its tensors, their fragments, and where these are. */
export interface ModelFile {
  readonly plan: ModelPlan;
  /** Free text of the source's files. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of the source's files and their data. */
  readonly tensors: readonly ModelFileTensor[];
  /** Bytes before the pieces. */
  readonly dataStart: number;
  readonly fileSize: number;
  /** Checksum of the header, which has those of everything else: 16 hexadecimal digits. */
  readonly checksum: string;
  /** Bytes of it that exist: fewer if it ends early, see {@link PartialOption}. */
  readonly available: number;
}

const RULES: Rules<OpenOptions & PartialOption> = { ...OPEN_RULES, ...PARTIAL_RULES };

/** Reads and verifies the header of a model file: all bytes before the pieces. */
export async function readModelFile(
  source: RandomAccessSource,
  options: OpenOptions & PartialOption = {},
): Promise<ModelFile> {
  const { limits, partial } = checkOptions(options, RULES);
  assertSource(source);
  return withPlace({ file: sourceName(source) }, async () => {
    const [bytes, { xxh3: hash }] = await Promise.all([
      readSafetensorsHeaderBytes(source, options),
      loadKernels(['xxh3']),
    ]);
    // Loaded on demand: most files are opened as a whole.
    const sizeOf = partial && (await import('../../sources/sizeOf.js')).sizeOf;
    const fileSize = sizeOf ? await sizeOf(source, bytes.length, options) : source.size;
    return parseHeader(bytes, fileSize, hash, { limits, partial });
  });
}

/**
 * @param input length and JSON: all bytes before the pieces
 * @throws FormatError, ChecksumError, UnsupportedError, LimitError
 */
export function parseModelFile(
  input: BytesLike,
  fileSize: number | undefined,
  options: LimitsOption & PartialOption = {},
): ModelFile {
  return parseHeader(asBytes(input), fileSize, xxh3, options);
}

/** The same by this hash. */
function parseHeader(
  bytes: Uint8Array,
  fileSize: number | undefined,
  hash: Hash,
  options: LimitsOption & PartialOption,
): ModelFile {
  const checksum = verifyHeader(bytes, hash);
  const header = parseSafetensorsHeaderBytes(bytes, { ...options, fileSize });
  const plan = parseModelPlan(header.metadata, options);
  const declared = plan.files.flatMap((file) => sourceFileTensors(file, options));
  const names = new Set<string>();
  for (const { name } of declared) {
    if (names.has(name))
      throw new FormatError(
        'Cannot read the model file: two files of its plan have a tensor of the same name',
        {
          name,
        },
      );
    names.add(name);
  }
  const pieces = locatePieces(plan, declared, header);
  const tensors = declared.map((tensor, i): ModelFileTensor => {
    const { name, dtype, shape, byteLength } = tensor;
    const { weight, hash, encoded } = plan.tensors[i]!;
    return { name, dtype, shape, byteLength, weight, encoded, pieces: pieces[i]!, firstPieceHash: hash };
  });
  return {
    plan,
    metadata: new Map([...header.metadata].filter(([key]) => !key.startsWith(METADATA_PREFIX))),
    tensors,
    dataStart: header.byteLength,
    fileSize: header.fileSize,
    checksum,
    available: fileSize ?? header.fileSize,
  };
}

/** The pieces of each tensor: one after another in the order of the plan, without gaps. */
function locatePieces(
  { tensors, order }: ModelPlan,
  declared: readonly SafetensorsTensor[],
  { tensors: stored, byteLength: dataStart, fileSize }: SafetensorsHeader,
): readonly (readonly ModelPiece[])[] {
  if (stored.length !== 1 || stored[0]!.name !== DATA_NAME) {
    throw new FormatError('Cannot read the model file: it has other tensors than its data', {
      expected: [DATA_NAME],
      actual: stored.map(({ name }) => name),
    });
  }
  if (declared.length !== tensors.length) {
    throw new FormatError('Cannot read the model file: its plan is for another number of tensors', {
      expected: declared.length,
      actual: tensors.length,
    });
  }
  const pieces = tensors.map((): ModelPiece[] => []);
  let offset = dataStart;
  for (const tensor of order) {
    const own = pieces[tensor]!;
    const length = tensors[tensor]!.encoded?.sizes[own.length] ?? declared[tensor]!.byteLength;
    own.push({ offset, length });
    offset += length;
  }
  if (offset !== fileSize) {
    throw new FormatError('Cannot read the model file: the pieces of its plan are not its data', {
      expected: fileSize,
      actual: offset,
    });
  }
  return pieces;
}
