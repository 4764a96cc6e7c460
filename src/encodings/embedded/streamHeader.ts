import { FieldReader } from '../../bytes/fieldReader.js';
import { pushVarint } from '../../bytes/varint.js';
import type { DenseRule, PlaneCoding } from '../../kernels/embedded/interface.js';
import { inRange } from './inRange.js';
import { packReplaced, readReplaced } from './replacedCodes.js';
import { packScaleNumbers, readScaleNumbers } from './scaleNumbers.js';
import { packNumbers, readNumbers } from './signedNumbers.js';

/** The header that fragment 0 begins with, as `docs/formats/embedded.md` describes it. */

/** Magnitudes, followed by eight bits of a centroid, stay below 2^30. */
export const MAX_PLANES = 22;
const MIN_TILE_LOG2 = 9;
/** Positions in a tile are u16. */
export const MAX_TILE_LOG2 = 16;
/** A group of 64 weights never has this many significant ones. */
export const NEVER_DENSE = 65;
/** No scale is this far above a threshold. */
export const NO_RATIO = 127;
const MAX_SELECTION = 11;
const NO_SELECTION = new Uint8Array(0);

export interface PlaneHeader extends PlaneCoding {
  /** Where in its interval a significant weight is put, in 1/256 of the plane's step. */
  readonly centroid: number;
  /** The same for a weight of which only the sign is known. */
  readonly zeroCentroid: number;
  /** Signs follow this plane. */
  readonly signs: boolean;
}

/** What rows and columns are larger or smaller by than the whole, in quarter octaves of their root mean squares. */
export interface Scales {
  /** The tensor is taken for rows of this length; the last one may be shorter. */
  readonly rowLength: number;
  /** One per row. */
  readonly rows: Int8Array | undefined;
  /** One per column. */
  readonly columns: Int8Array | undefined;
}

/** The same, as it is stored. */
export interface PackedScales {
  readonly rowLength: number;
  /** A bit for rows, and one for columns. */
  readonly kinds: number;
  readonly packed: Uint8Array;
}

/** Fragment 0 begins with it. */
export interface StreamHeader {
  /** Weights of the whole tensor. */
  readonly elements: number;
  readonly tileLog2: number;
  /** 1 in the lowest plane means 2^scale. */
  readonly scale: number;
  readonly dense: DenseRule;
  /** How many planes of a dense group are coded. */
  readonly codedDense: number;
  /** The root mean square of the weights, in quarter octaves of the lowest plane's step. */
  readonly base: number;
  readonly scales: PackedScales | undefined;
  /** From the highest down. */
  readonly planes: readonly PlaneHeader[];
  /** Codes of the remainder's bitmap of non-zero weights; empty: it has none. */
  readonly nonzero: Uint8Array;
}

export function pushStream(head: number[], stream: StreamHeader): void {
  const { elements, tileLog2, scale, dense, codedDense, base, scales, planes, nonzero } = stream;
  pushVarint(head, elements);
  head.push(tileLog2 - MIN_TILE_LOG2 + (planes.length << 3), dense.threshold + ((codedDense - 1) << 7));
  head.push(dense.ratio & 0xff, scale & 0xff, (scale >> 8) & 0xff, base);
  pushVarint(head, scales?.rowLength ?? 0);
  if (scales !== undefined) {
    head.push(scales.kinds);
    pushVarint(head, scales.packed.length);
    for (const byte of scales.packed) head.push(byte);
  }
  const flags = planes.map(({ selection, fixed, apart, signs }) => {
    const codes = fixed ? 0 : 1 + selection.length;
    return (signs ? SIGNS_FOLLOW : 0) | (apart ? APART : 0) | (codes << CODES_AT);
  });
  const from = (first: number, values: readonly number[]) =>
    values.map((value, j) => value - (values[j - 1] ?? first));
  const differences = [
    ...from(
      FIRST_CENTROID,
      planes.map(({ centroid }) => centroid),
    ),
    ...from(
      FIRST_CENTROID,
      planes.map(({ zeroCentroid }) => zeroCentroid),
    ),
    ...from(0, flags),
  ];
  for (const byte of packNumbers(differences)) head.push(byte);
  for (const { selection } of planes) head.push(...selection);
  const replaced = planes.find(({ fixed }) => fixed)?.fixed ?? new Uint16Array(0);
  for (const byte of packReplaced(replaced)) head.push(byte);
  head.push(nonzero.length, ...nonzero);
}

/** What the first centroids of planes are differences from. */
const FIRST_CENTROID = 128;
/** Flags of a plane; above them is 0 for fixed codes, else the length of its selection and 1. */
const SIGNS_FOLLOW = 1;
const APART = 2;
const CODES_AT = 2;

/** Which scales there are. */
const ROWS = 1;
const COLUMNS = 2;

export function readStream(fields: FieldReader): StreamHeader {
  const elements = fields.varint();
  const sizes = fields.u8();
  const tileLog2 = MIN_TILE_LOG2 + (sizes & 7);
  const depth = inRange('number of planes', sizes >> 3, 0, MAX_PLANES);
  const rule = fields.u8();
  const threshold = inRange('threshold', rule & 0x7f, 1, NEVER_DENSE);
  const codedDense = 1 + (rule >> 7);
  const ratio = (fields.u8() << 24) >> 24;
  const scale = fields.i16();
  const base = fields.u8();
  const scales = readScales(fields, 2 ** tileLog2);
  const values = readNumbers(fields, 3 * depth);
  for (let i = 0; i < values.length; i++) {
    const before = i % depth > 0 ? values[i - 1]! : i < 2 * depth ? FIRST_CENTROID : 0;
    values[i] = (values[i]! + before) & 0xff;
  }
  const selections: Uint8Array[] = [];
  for (let plane = 0; plane < depth; plane++) {
    selections.push(readSelection(fields, Math.max(0, (values[2 * depth + plane]! >> CODES_AT) - 1)));
  }
  const replaced = readReplaced(fields);
  const planes: PlaneHeader[] = [];
  for (let plane = 0; plane < depth; plane++) {
    const own = values[2 * depth + plane]!;
    // Not by spreads, which take several times as long.
    planes.push({
      centroid: values[plane]!,
      zeroCentroid: values[depth + plane]!,
      selection: selections[plane]!,
      fixed: own >> CODES_AT > 0 ? undefined : replaced,
      level: depth - 1 - plane,
      codedDense,
      apart: (own & APART) > 0,
      signs: (own & SIGNS_FOLLOW) > 0,
    });
  }
  const nonzero = readSelection(fields, fields.u8());
  return {
    elements,
    tileLog2,
    scale,
    dense: { threshold, ratio },
    codedDense,
    base,
    scales,
    planes,
    nonzero,
  };
}

/** @param longest row: its columns are sorted within a tile */
function readScales(fields: FieldReader, longest: number): PackedScales | undefined {
  const rowLength = inRange('length of rows', fields.varint(), 0, longest);
  if (rowLength === 0) return undefined;
  const kinds = inRange('kind of scales', fields.u8(), ROWS, ROWS | COLUMNS);
  return { rowLength, kinds, packed: new Uint8Array(fields.take(fields.varint())) };
}

export function packScales({ rowLength, rows, columns }: Scales): PackedScales {
  const kinds = (rows === undefined ? 0 : ROWS) | (columns === undefined ? 0 : COLUMNS);
  const packed = [rows, columns].flatMap((numbers) =>
    numbers === undefined ? [] : packScaleNumbers(numbers),
  );
  return { rowLength, kinds, packed: Uint8Array.from(packed) };
}

/**
 * @param elements of the tensor
 * @throws FormatError
 */
export function unpackScales({ rowLength, kinds, packed }: PackedScales, elements: number): Scales {
  const fields = new FieldReader(packed, 'embedded scales');
  const rows = (kinds & ROWS) === 0 ? undefined : readScaleNumbers(fields, Math.ceil(elements / rowLength));
  const columns = (kinds & COLUMNS) === 0 ? undefined : readScaleNumbers(fields, rowLength);
  inRange('length of scales', packed.length, fields.position, fields.position);
  return { rowLength, rows, columns };
}

/** Two bytes for class 0, one for each class after it. */
function readSelection(fields: FieldReader, length: number): Uint8Array {
  if (length === 0) return NO_SELECTION;
  inRange('number of codes', length === 1 ? -1 : length, 0, MAX_SELECTION);
  const selection = new Uint8Array(fields.take(length));
  if (selection[1] !== 0xff) inRange('code', selection[1]!, 0, 15);
  return selection;
}
