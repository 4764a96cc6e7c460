/**
 * Matrices with their gradients: each operation adds to the tape how the gradient of its result becomes that of its operands
 * (reverse-mode differentiation), so a network is written once, forwards.
 */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  /** Row-major. */
  readonly data: Float32Array;
  readonly gradient: Float32Array;
}

export function matrix(
  rows: number,
  cols: number,
  data: Float32Array = new Float32Array(rows * cols),
): Matrix {
  return { rows, cols, data, gradient: new Float32Array(rows * cols) };
}

export class Tape {
  readonly #steps: (() => void)[] = [];

  /** From the last operation to the first. */
  backwards(): void {
    for (const step of this.#steps.reverse()) step();
  }

  /** a bᵀ: `b` has a row per output. */
  product(a: Matrix, b: Matrix): Matrix {
    const out = matrix(a.rows, b.rows);
    const depth = a.cols;
    for (let i = 0, at = 0; i < a.rows; i++) {
      for (let j = 0; j < b.rows; j++, at++) out.data[at] = dot(a.data, i * depth, b.data, j * depth, depth);
    }
    this.#steps.push(() => {
      for (let i = 0, at = 0; i < a.rows; i++) {
        for (let j = 0; j < b.rows; j++, at++) {
          const g = out.gradient[at]!;
          if (g === 0) continue;
          addScaled(a.gradient, i * depth, b.data, j * depth, g, depth);
          addScaled(b.gradient, j * depth, a.data, i * depth, g, depth);
        }
      }
    });
    return out;
  }

  sum(a: Matrix, b: Matrix): Matrix {
    const out = matrix(
      a.rows,
      a.cols,
      a.data.map((value, i) => value + b.data[i]!),
    );
    this.#steps.push(() => {
      addScaled(a.gradient, 0, out.gradient, 0, 1, out.gradient.length);
      addScaled(b.gradient, 0, out.gradient, 0, 1, out.gradient.length);
    });
    return out;
  }

  relu(a: Matrix): Matrix {
    const out = matrix(
      a.rows,
      a.cols,
      a.data.map((value) => Math.max(0, value)),
    );
    this.#steps.push(() => {
      for (const [i, value] of a.data.entries()) if (value > 0) a.gradient[i]! += out.gradient[i]!;
    });
    return out;
  }

  /** The rows of these numbers. */
  rows(a: Matrix, numbers: ArrayLike<number>): Matrix {
    const { cols } = a;
    const out = matrix(numbers.length, cols);
    for (let i = 0; i < numbers.length; i++)
      out.data.set(a.data.subarray(numbers[i]! * cols, (numbers[i]! + 1) * cols), i * cols);
    this.#steps.push(() => {
      for (let i = 0; i < numbers.length; i++)
        addScaled(a.gradient, numbers[i]! * cols, out.gradient, i * cols, 1, cols);
    });
    return out;
  }

  /** Each row divided by its root mean square, its elements times `scale` (Zhang and Sennrich, 2019). */
  normalized(a: Matrix, scale: Matrix): Matrix {
    const { rows, cols } = a;
    const out = matrix(rows, cols);
    const inverse = Float64Array.from({ length: rows }, (_, i) => {
      return 1 / Math.sqrt(dot(a.data, i * cols, a.data, i * cols, cols) / cols + 1e-5);
    });
    for (let at = 0; at < out.data.length; at++)
      out.data[at] = a.data[at]! * inverse[Math.floor(at / cols)]! * scale.data[at % cols]!;
    this.#steps.push(() => {
      for (let i = 0; i < rows; i++) {
        let along = 0;
        for (let j = 0, at = i * cols; j < cols; j++, at++) {
          scale.gradient[j]! += out.gradient[at]! * a.data[at]! * inverse[i]!;
          along += out.gradient[at]! * scale.data[j]! * a.data[at]!;
        }
        for (let j = 0, at = i * cols; j < cols; j++, at++) {
          a.gradient[at]! +=
            inverse[i]! *
            (out.gradient[at]! * scale.data[j]! - (a.data[at]! * along * inverse[i]! ** 2) / cols);
        }
      }
    });
    return out;
  }

  /** Each position of a sequence of `length` rows attends to those up to it (Vaswani and others, 2017). */
  attention(q: Matrix, k: Matrix, v: Matrix, length: number, heads: number): Matrix {
    const { rows, cols } = q;
    const width = cols / heads;
    const scale = 1 / Math.sqrt(width);
    const out = matrix(rows, cols);
    const parts = new Float32Array(rows * heads * length);
    const each = (work: (row: number, first: number, column: number, part: Float32Array) => void) => {
      for (let row = 0; row < rows; row++) {
        const first = row - (row % length);
        for (let head = 0; head < heads; head++) {
          const start = (row * heads + head) * length;
          work(row, first, head * width, parts.subarray(start, start + row - first + 1));
        }
      }
    };
    each((row, first, column, part) => {
      for (let j = 0; j < part.length; j++)
        part[j] = scale * dot(q.data, row * cols + column, k.data, (first + j) * cols + column, width);
      softmax(part);
      for (const [j, weight] of part.entries())
        addScaled(out.data, row * cols + column, v.data, (first + j) * cols + column, weight, width);
    });
    this.#steps.push(() =>
      each((row, first, column, part) => {
        const here = row * cols + column;
        const slopes = part.map((_, j) =>
          dot(out.gradient, here, v.data, (first + j) * cols + column, width),
        );
        const mean = dot(slopes, 0, part, 0, part.length);
        for (const [j, weight] of part.entries()) {
          const there = (first + j) * cols + column;
          addScaled(v.gradient, there, out.gradient, here, weight, width);
          const slope = scale * weight * (slopes[j]! - mean);
          addScaled(q.gradient, here, k.data, there, slope, width);
          addScaled(k.gradient, there, q.data, here, slope, width);
        }
      }),
    );
    return out;
  }

  /** Mean bits that the targets take, coded by the softmax of the scores. */
  bits(scores: Matrix, targets: ArrayLike<number>): number {
    const { rows, cols } = scores;
    const parts = scores.data.slice();
    let bits = 0;
    for (let i = 0; i < rows; i++) {
      const row = parts.subarray(i * cols, (i + 1) * cols);
      softmax(row);
      bits -= Math.log2(row[targets[i]!]!) / rows;
    }
    this.#steps.push(() => {
      for (const [at, part] of parts.entries())
        scores.gradient[at]! += (part - (targets[Math.floor(at / cols)] === at % cols ? 1 : 0)) / rows;
    });
    return bits;
  }
}

function softmax(values: Float32Array): void {
  let top = Number.NEGATIVE_INFINITY;
  for (const value of values) top = Math.max(top, value);
  let sum = 0;
  for (const [i, value] of values.entries()) sum += values[i] = Math.exp(value - top);
  for (let i = 0; i < values.length; i++) values[i]! /= sum;
}

function dot(a: Float32Array, aStart: number, b: Float32Array, bStart: number, count: number): number {
  // Two sums, because an addition waits for the one before it.
  let even = 0;
  let odd = 0;
  let i = 0;
  for (; i + 1 < count; i += 2) {
    even += a[aStart + i]! * b[bStart + i]!;
    odd += a[aStart + i + 1]! * b[bStart + i + 1]!;
  }
  if (i < count) even += a[aStart + i]! * b[bStart + i]!;
  return even + odd;
}

function addScaled(
  to: Float32Array,
  toStart: number,
  from: Float32Array,
  fromStart: number,
  scale: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) to[toStart + i]! += scale * from[fromStart + i]!;
}
