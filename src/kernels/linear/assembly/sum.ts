// Sums of products: what decoding needs of linear algebra. See `../blockedMultiply.ts`.
import { forEachTile } from '../../runtime/assembly/tiles';

/** `sum` (rows × cols f32, both multiples of 4, row-major) += the product of two packed blocks of f64. */
export function addBlock(left: usize, right: usize, rows: i32, cols: i32, length: i32, sum: usize): void {
  forEachTile<f32>(left, right, rows, cols, length, sum);
}
