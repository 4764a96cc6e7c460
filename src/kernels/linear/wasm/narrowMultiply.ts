import type { WasmRuntime } from '../../runtime/runtime.js';
import type { Matrix } from '../matrix.js';

/** See `assembly/narrow.ts`. */
type NarrowKernel = (
  left: number,
  apart: number,
  step: number,
  lines: number,
  length: number,
  right: number,
  panels: number,
  out: number,
) => void;

type NarrowExports = Readonly<Record<`addNarrowF${32 | 64}`, NarrowKernel>>;

/** Up to this many columns of the right operand, reading the left one in place is faster than packing it. */
const NARROW = 128;
/** Rows of the left operand that are in the memory at a time, unpacked: 512 KiB of 4096 columns of f32. */
const STRIPE = 32;
/** Of all three arrays, a quarter of what a memory can have. Packing the left operand instead takes up to twice the time. */
const MAX_BYTES = 2 ** 30;
/** Stripes whose products are summed before they are added to the result in f64: 4096 rows. */
const SUMMED_STRIPES = 128;
/** In f32, the right operand is divided by this, so that sums overflow only if the norm of the left one does. */
const HEADROOM = 2 ** 16;
/** Bytes of a line of a panel. */
const LINE = 32;
/** With row strides of a multiple of this, few sets of the first-level cache would share the elements of a column. */
const ALIASED = 1024;
/** Bytes that are added to such strides. */
const APART = 64;

/**
 * Whether `narrowMultiply` takes this product: its left operand has contiguous rows or columns, and these are not so long
 * that the memory cannot hold a stripe of them.
 */
export function isNarrow(size: 4 | 8, a: Matrix, b: Matrix): boolean {
  if (b.cols > NARROW || (a.colStride !== 1 && a.rowStride !== 1)) return false;
  return sum(layOut(size, a, b).bytes) <= MAX_BYTES;
}

/** How `narrowMultiply` uses the memory. */
interface Layout {
  readonly byRows: boolean;
  /** Rows or columns of the left operand, which are contiguous, and their length. */
  readonly lines: number;
  readonly length: number;
  readonly lineStride: number;
  /** Of the lines in the memory, in bytes. */
  readonly stride: number;
  /** Columns of a panel, and panels of the right operand. */
  readonly width: number;
  readonly panels: number;
  /** Of a stripe, of the right operand or what is packed of it, and of sums. */
  readonly bytes: readonly [number, number, number];
}

function layOut(size: 4 | 8, a: Matrix, b: Matrix): Layout {
  const byRows = a.colStride === 1;
  const [lines, length, lineStride] = byRows ? [a.rows, a.cols, a.rowStride] : [a.cols, a.rows, a.colStride];
  const stride = strideInMemory(length, lineStride, size);
  const width = LINE / size;
  const panels = Math.ceil(b.cols / width);
  // The last tile reads past the last row.
  const rows = Math.min(STRIPE, wholeTiles(lines));
  const stripe = rows * stride + LINE;
  const [right, sums] = byRows ? [length, rows] : [rows, wholeTiles(length)];
  return {
    byRows,
    lines,
    length,
    lineStride,
    stride,
    width,
    panels,
    bytes: [stripe, right * panels * LINE, sums * panels * LINE],
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** `LinearKernels.multiply`, for a product that is narrow, in elements of 4 or 8 bytes. */
export function narrowMultiply(
  runtime: WasmRuntime,
  size: 4 | 8,
  a: Matrix,
  b: Matrix,
  out: Float64Array,
): void {
  const { byRows, lines, length, lineStride, stride, width, panels, bytes } = layOut(size, a, b);
  const factor = size === 4 ? magnitude(b) * HEADROOM : 1;
  out.fill(0, 0, a.rows * b.cols);
  runtime.scope(() => {
    const [stripe, right, sum] = bytes.map((count) => runtime.allocate(count)) as [number, number, number];
    const [stripes, rights, sums] = [stripe, right, sum].map((address, i) =>
      size === 4 ? runtime.floats(address, bytes[i]! / 4) : runtime.doubles(address, bytes[i]! / 8),
    ) as [Elements, Elements, Elements];
    const { addNarrowF32, addNarrowF64 } = runtime.exports<NarrowExports>('linear');
    const add = size === 4 ? addNarrowF32 : addNarrowF64;
    const takeSums = (from: number, count: number) => {
      addPanels(out, from, count, sums, width, wholeTiles(count), b.cols, factor);
      sums.fill(0);
    };
    stripes.fill(0);
    sums.fill(0);
    if (byRows) packPanels(rights, width, b, 0, length, factor);
    for (let line = 0, done = 1; line < lines; line += STRIPE, done++) {
      const rows = Math.min(STRIPE, lines - line);
      loadStripe(stripes, stride / size, a.data, a.offset + line * lineStride, lineStride, length, rows);
      if (byRows) {
        add(stripe, stride, size, wholeTiles(rows), length, right, panels, sum);
        takeSums(line, rows);
      } else {
        packPanels(rights, width, b, line, rows, factor);
        add(stripe, size, stride, wholeTiles(length), rows, right, panels, sum);
        if (done % SUMMED_STRIPES === 0) takeSums(0, length);
      }
    }
    if (!byRows) takeSums(0, length);
  });
}

/** The stride of the rows of a stripe in bytes: the same as in the array, unless the cache forbids it. */
function strideInMemory(length: number, lineStride: number, size: number): number {
  const close = lineStride >= length && lineStride < 2 * length;
  if (close && (lineStride * size) % ALIASED > 0) return lineStride * size;
  return wholeTiles(length) * size + APART;
}

function loadStripe(
  stripes: Elements,
  stride: number,
  data: Elements,
  from: number,
  lineStride: number,
  length: number,
  rows: number,
): void {
  // One call for all rows if possible, because for short rows the calls would take as long as the copying.
  if (stride === lineStride) stripes.set(data.subarray(from, from + (rows - 1) * stride + length));
  else {
    for (let i = 0; i < rows; i++, from += lineStride) {
      stripes.set(data.subarray(from, from + length), i * stride);
    }
  }
}

type Elements = Float32Array | Float64Array;

/** A power of two, which divides without rounding, about as large as the largest element of `b`. */
function magnitude({ data, offset, rows, cols, rowStride, colStride }: Matrix): number {
  let largest = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0, at = offset + i * rowStride; j < cols; j++, at += colStride) {
      largest = Math.max(largest, Math.abs(data[at]!));
    }
  }
  return largest > 0 ? 2 ** Math.floor(Math.log2(largest)) : 1;
}

/** Rows `from` to `from + lines` of b, divided by `factor`; zeros fill the last panel. */
function packPanels(
  panels: Elements,
  width: number,
  { data, offset, cols, rowStride, colStride }: Matrix,
  from: number,
  lines: number,
  factor: number,
): void {
  for (let j = 0, to = 0; j < cols; j += width) {
    for (let i = 0; i < lines; i++) {
      for (
        let k = j, at = offset + (from + i) * rowStride + j * colStride;
        k < j + width;
        k++, at += colStride
      ) {
        panels[to++] = k < cols ? data[at]! / factor : 0;
      }
    }
  }
}

/** Adds `count` lines of panels that have `lines`, times `factor`, to the rows of `out` from `from` on. */
function addPanels(
  out: Float64Array,
  from: number,
  count: number,
  panels: Elements,
  width: number,
  lines: number,
  cols: number,
  factor: number,
): void {
  for (let j = 0; j < cols; j += width) {
    const end = Math.min(width, cols - j);
    for (let i = 0, at = j * lines; i < count; i++, at += width) {
      const to = (from + i) * cols + j;
      for (let k = 0; k < end; k++) out[to + k]! += panels[at + k]! * factor;
    }
  }
}

/** The next multiple of the four lines of a tile. */
function wholeTiles(lines: number): number {
  return Math.ceil(lines / 4) * 4;
}
