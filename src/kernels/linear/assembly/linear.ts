// Dense linear algebra in f64, two elements a vector. See `../blockedMultiply.ts` and
// `../portable/tridiagonalize.ts`, which say how it works.

import { addNarrow } from './narrow';
import { forEachTile } from '../../runtime/assembly/tiles';

export function addNarrowF32(
  left: usize, apart: usize, step: usize, lines: usize, length: usize, right: usize, panels: usize, out: usize,
): void {
  addNarrow<f32>(left, apart, step, lines, length, right, panels, out);
}

export function addNarrowF64(
  left: usize, apart: usize, step: usize, lines: usize, length: usize, right: usize, panels: usize, out: usize,
): void {
  addNarrow<f64>(left, apart, step, lines, length, right, panels, out);
}

/** `out` (rows × cols f64, both multiples of 4, row-major) = the product of two packed blocks. */
export function multiplyBlock(left: usize, right: usize, rows: i32, cols: i32, length: i32, out: usize): void {
  forEachTile<f64>(left, right, rows, cols, length, out);
}

/** `work` has room for 4 n values. Rows are taken in pairs, which share the vectors that they are combined with. */
export function tridiagonalize(a: usize, n: i32, diagonal: usize, subdiagonal: usize, work: usize): void {
  const stride = (<usize>n) << 3;
  memory.fill(work, 0, stride << 2);
  let v = work;
  let w = work + stride;
  let x = work + stride * 2;
  let product = work + stride * 3;
  for (let i = n - 1; i >= 0; i--) {
    const offset = (<usize>i) << 3;
    const row = a + (<usize>i) * stride;
    const vi = load<f64>(v + offset);
    const wi = load<f64>(w + offset);
    for (let j: usize = 0; j <= offset; j += 8) {
      store<f64>(row + j, load<f64>(row + j) - (vi * load<f64>(w + j) + wi * load<f64>(v + j)));
    }
    store<f64>(diagonal + offset, load<f64>(row + offset));
    if (i == 0) break;
    store<f64>(subdiagonal + offset - 8, reflect(row, offset));
    memory.copy(x, row, offset);
    memory.fill(product, 0, offset);
    let k: usize = 0;
    let at = a;
    for (; k + 8 < offset; k += 16, at += stride << 1) updateRows(at, stride, k, v, w, x, product);
    if (k < offset) updateRow(at, k, v, w, x, product);
    let scalar: f64 = 0;
    for (let j: usize = 0; j < offset; j += 8) scalar += load<f64>(x + j) * load<f64>(product + j);
    scalar *= 0.5;
    for (let j: usize = 0; j < offset; j += 8) {
      store<f64>(product + j, load<f64>(product + j) - scalar * load<f64>(x + j));
    }
    const oldV = v;
    const oldW = w;
    v = x;
    w = product;
    x = oldV;
    product = oldW;
  }
}

/** Rows k and k + 1, k even, given as the offset of element k. */
// @ts-ignore: decorator
@inline
function updateRows(row: usize, stride: usize, k: usize, v: usize, w: usize, x: usize, product: usize): void {
  const next = row + stride;
  const v0 = v128.load64_splat(v + k);
  const w0 = v128.load64_splat(w + k);
  const x0 = v128.load64_splat(x + k);
  const v1 = v128.load64_splat(v + k, 8);
  const w1 = v128.load64_splat(w + k, 8);
  const x1 = v128.load64_splat(x + k, 8);
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  for (let j: usize = 0; j < k; j += 16) {
    const vj = v128.load(v + j);
    const wj = v128.load(w + j);
    const xj = v128.load(x + j);
    const a0 = f64x2.sub(f64x2.sub(v128.load(row + j), f64x2.mul(v0, wj)), f64x2.mul(w0, vj));
    v128.store(row + j, a0);
    const a1 = f64x2.sub(f64x2.sub(v128.load(next + j), f64x2.mul(v1, wj)), f64x2.mul(w1, vj));
    v128.store(next + j, a1);
    sum0 = f64x2.add(sum0, f64x2.mul(a0, xj));
    sum1 = f64x2.add(sum1, f64x2.mul(a1, xj));
    const mirrored = f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1));
    v128.store(product + j, f64x2.add(v128.load(product + j), mirrored));
  }
  const vk = load<f64>(v + k);
  const wk = load<f64>(w + k);
  const vn = load<f64>(v + k, 8);
  const wn = load<f64>(w + k, 8);
  const corner = load<f64>(row + k) - 2 * vk * wk;
  const beside = load<f64>(next + k) - vn * wk - wn * vk;
  const last = load<f64>(next + k, 8) - 2 * vn * wn;
  store<f64>(row + k, corner);
  store<f64>(next + k, beside);
  store<f64>(next + k, last, 8);
  const xk = load<f64>(x + k);
  const xn = load<f64>(x + k, 8);
  store<f64>(product + k, load<f64>(product + k) + lanes(sum0) + corner * xk + beside * xn);
  store<f64>(product + k, load<f64>(product + k, 8) + lanes(sum1) + beside * xk + last * xn, 8);
}

/** The last row of an odd number of them. */
function updateRow(row: usize, k: usize, v: usize, w: usize, x: usize, product: usize): void {
  const vk = v128.load64_splat(v + k);
  const wk = v128.load64_splat(w + k);
  const xk = v128.load64_splat(x + k);
  let sum = f64x2.splat(0);
  for (let j: usize = 0; j < k; j += 16) {
    const a = f64x2.sub(f64x2.sub(v128.load(row + j), f64x2.mul(vk, v128.load(w + j))), f64x2.mul(wk, v128.load(v + j)));
    v128.store(row + j, a);
    sum = f64x2.add(sum, f64x2.mul(a, v128.load(x + j)));
    v128.store(product + j, f64x2.add(v128.load(product + j), f64x2.mul(a, xk)));
  }
  const corner = load<f64>(row + k) - 2 * load<f64>(v + k) * load<f64>(w + k);
  store<f64>(row + k, corner);
  store<f64>(product + k, load<f64>(product + k) + lanes(sum) + corner * load<f64>(x + k));
}

function reflect(row: usize, bytes: usize): f64 {
  const last = row + bytes - 8;
  let tail: f64 = 0;
  for (let at = row; at < last; at += 8) tail += load<f64>(at) * load<f64>(at);
  const alpha = load<f64>(last);
  if (tail == 0) {
    store<f64>(last, 0);
    return alpha;
  }
  const norm = Math.sqrt(tail + alpha * alpha);
  const beta = alpha > 0 ? -norm : norm;
  const scale = 1 / Math.sqrt(norm * (norm + Math.abs(alpha)));
  for (let at = row; at < last; at += 8) store<f64>(at, load<f64>(at) * scale);
  store<f64>(last, (alpha - beta) * scale);
  return beta;
}

// @ts-ignore: decorator
@inline
function lanes(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}
