import { asBytes, assertLength, type BytesLike } from '../bytes/binary.js';
import { assertKind } from '../bytes/fileKind.js';
import { unknownStart } from '../bytes/fileStart.js';
import { type AllLimits, checkLimit, LIMIT_RULES, type LimitsOption, limitsOf } from '../checks/limits.js';
import { checkOptions, flag, type Rules, wholeNumber } from '../checks/options.js';
import { show } from '../errors/show.js';
import { FormatError, TruncatedError } from '../errors.js';
import {
  isSafetensorsDType,
  SAFETENSORS_DTYPES,
  SAFETENSORS_LENGTH_SIZE,
  SAFETENSORS_METADATA_KEY,
  type SafetensorsHeader,
  type SafetensorsTensor,
  safetensorsByteLength,
} from './header.js';
import { HeaderScanner } from './headerScanner.js';

export interface SafetensorsParseOptions extends LimitsOption {
  /** Bytes of the whole file, if known, to compare with the header. */
  readonly fileSize?: number | undefined;
  /** The file may end early: only its header must be whole. Default false. */
  readonly partial?: boolean | undefined;
}

const HEADER = 'the safetensors header';

/** With which JSON begins. */
const OPENING_BRACE = 0x7b;

const RULES: Rules<SafetensorsParseOptions> = {
  ...LIMIT_RULES,
  fileSize: /* @__PURE__ */ wholeNumber(),
  partial: flag,
};

/**
 * How many bytes {@link parseSafetensorsHeader} needs, from the first 8 of the file; with the first 64, another kind of file
 * is recognized, too.
 * @throws FormatError, LimitError, TruncatedError
 */
export function safetensorsHeaderSize(input: BytesLike, options: SafetensorsParseOptions = {}): number {
  const bytes = asBytes(input);
  checkOptions(options, RULES);
  assertKind(bytes, 'safetensors');
  return sizeOfSafetensorsHeader(bytes, options);
}

/** The same; what else the bytes may be, the caller has found out. */
export function sizeOfSafetensorsHeader(bytes: Uint8Array, options: SafetensorsParseOptions): number {
  const { fileSize } = checkOptions(options, RULES);
  const limits = limitsOf(options);
  assertLength(bytes, SAFETENSORS_LENGTH_SIZE, HEADER);
  const length = new DataView(bytes.buffer, bytes.byteOffset, SAFETENSORS_LENGTH_SIZE).getBigUint64(0, true);
  const size = SAFETENSORS_LENGTH_SIZE + Number(length);
  // A length that is none, with no JSON after it: a limit is not what is wrong.
  if (Number(length) > limits.headerBytes && bytes[SAFETENSORS_LENGTH_SIZE] !== OPENING_BRACE) {
    throw new FormatError('Cannot read the safetensors header: this is no file that holostream reads', {
      actual: unknownStart(bytes),
    });
  }
  checkLimit(limits, 'headerBytes', Number(length), 'Cannot read the safetensors header: it is too long', {
    offset: 0,
  });
  if (fileSize !== undefined && size > fileSize) {
    throw new TruncatedError('Cannot read the safetensors header: the file is too short', {
      expected: `${size} bytes`,
      actual: fileSize,
    });
  }
  return size;
}

/**
 * Parses the start of a safetensors file: the length and the JSON of this length; more bytes may follow. It takes what the
 * official reader takes, except duplicate keys, which have no meaning: no gaps, no overlaps, sizes that equal
 * shape × dtype, nothing but white space around the JSON. docs/formats/safetensors.md lists the rules.
 * @throws FormatError (TruncatedError where bytes are missing), LimitError
 */
export function parseSafetensorsHeader(
  input: BytesLike,
  options: SafetensorsParseOptions = {},
): SafetensorsHeader {
  const bytes = asBytes(input);
  checkOptions(options, RULES);
  assertKind(bytes, 'safetensors');
  return parseSafetensorsHeaderBytes(bytes, options);
}

/** The same; what else the bytes may be, the caller has found out. */
export function parseSafetensorsHeaderBytes(
  bytes: Uint8Array,
  options: SafetensorsParseOptions,
): SafetensorsHeader {
  const byteLength = sizeOfSafetensorsHeader(bytes, options);
  assertLength(bytes, byteLength, HEADER);
  const metadata = new Map<string, string>();
  const tensors: SafetensorsTensor[] = [];
  const limits = limitsOf(options);
  const scanner = new HeaderScanner(bytes.subarray(0, byteLength), SAFETENSORS_LENGTH_SIZE);
  scanner.object((key) => {
    if (key !== SAFETENSORS_METADATA_KEY) {
      tensors.push(parseTensor(scanner, key, byteLength, limits));
      checkLimit(limits, 'tensors', tensors.length, 'Cannot read the safetensors header: too many tensors');
    } else if (!scanner.skipNull()) scanner.object((name) => metadata.set(name, scanner.string()));
  });
  scanner.end();
  const fileSize = checkLayout(tensors, byteLength);
  const { fileSize: actual = fileSize, partial } = options;
  if (partial ? actual > fileSize : actual !== fileSize) {
    const details = { expected: fileSize, actual };
    throw actual < fileSize
      ? new TruncatedError('Cannot read the safetensors file: it is too short', details)
      : new FormatError('Cannot read the safetensors file: bytes follow its last tensor', details);
  }
  return { metadata, tensors, byteLength, fileSize };
}

function parseTensor(
  scanner: HeaderScanner,
  name: string,
  dataStart: number,
  limits: AllLimits,
): SafetensorsTensor {
  const offset = scanner.position;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let range: number[] | undefined;
  scanner.object((field) => {
    if (field === 'dtype') dtype = scanner.string();
    else if (field === 'shape') shape = scanner.naturals();
    else if (field === 'data_offsets') range = scanner.naturals();
    else scanner.skip();
  });
  if (dtype === undefined || shape === undefined || range === undefined) {
    throw new FormatError('Cannot read the safetensors header: a field is missing', {
      name,
      offset,
      expected: 'dtype, shape, data_offsets',
    });
  }
  checkLimit(limits, 'rank', shape.length, 'Cannot read the safetensors header: too many dimensions', {
    name,
  });
  if (!isSafetensorsDType(dtype)) {
    throw new FormatError('Cannot read the safetensors header: unknown dtype', {
      name,
      offset,
      expected: SAFETENSORS_DTYPES.join(', '),
      actual: dtype,
    });
  }
  const [begin = 0, end = 0] = range;
  if (range.length !== 2 || begin > end || !Number.isSafeInteger(dataStart + end)) {
    throw new FormatError('Cannot read the safetensors header: wrong data_offsets', {
      name,
      offset,
      actual: range,
    });
  }
  const byteLength = safetensorsByteLength(dtype, shape);
  if (byteLength !== end - begin) {
    throw new FormatError(`Cannot read the safetensors header: wrong size of ${dtype} ${show(shape)}`, {
      name,
      offset,
      expected: byteLength ?? 'whole bytes below 2^50',
      actual: end - begin,
    });
  }
  return { name, dtype, shape, offset: dataStart + begin, byteLength };
}

/** Sorts the tensors by offset and returns the end of the last one. */
function checkLayout(tensors: SafetensorsTensor[], dataStart: number): number {
  // Empty tensors share their offset with the next one and come first.
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const { name, offset, byteLength } of tensors) {
    if (offset !== end) {
      throw new FormatError(
        `Cannot read the safetensors header: ${offset < end ? 'tensors overlap' : 'a hole precedes a tensor'}`,
        {
          name,
          expected: end - dataStart,
          actual: offset - dataStart,
        },
      );
    }
    end = offset + byteLength;
  }
  return end;
}
