// The 2-D DCT in three steps, so that JavaScript can feed it stripes of rows: `rows` transforms the rows of a stripe
// and puts them into blocks of eight columns; `columns` transforms all blocks in place; `collect` takes a stripe of
// rows out again. A block is contiguous: one complex number (see dct/complex.ts) a row. A matrix of one row, which would
// leave seven of eight lanes empty, is transformed by `row` instead.

import { COMPLEX, loadIm, loadRe, storeComplex } from './complex';
import { dft } from './fft';
import { gatherRows, scatterRows } from './lanes';
import { fftSize, planSize, quarterTurns } from './plan';
import { foldRow, turnRow } from './planes';
import { splitDft } from './splitDft';
import { turnForward, turnInverse } from './turns';

/** Transforms `groups` × 8 rows from `stripe` on. `places` has one u32 a row: which row of each block it becomes. */
export function rows(
  plan: usize, inverse: bool, stripe: usize, groups: usize, blocks: usize, blockBytes: usize, places: usize,
  a: usize, b: usize, scratch: usize,
): void {
  const n = planSize(plan);
  const stride = n * 4;
  for (; groups > 0; groups--, stripe += 8 * stride, places += 32) {
    gatherRows(stripe, stride, n, inverse ? a : b, !inverse);
    if (inverse) turnInverse(n, quarterTurns(plan), a, b);
    let result = dft(plan, b, 0, a, b, scratch);
    if (!inverse) {
      const spectrum = result;
      result = spectrum == a ? b : a;
      turnForward(n, quarterTurns(plan), spectrum, result);
    }
    scatterRows(result, n, inverse, blocks, blockBytes, places, scratch);
  }
}

/** Transforms a single row in place, split over the lanes: for what splitDft takes; `work` is its three buffers. */
export function row(plan: usize, inverse: bool, at: usize, work: usize, scratch: usize): void {
  const n = planSize(plan), turns = quarterTurns(plan);
  const planeBytes = fftSize(plan) * 4;
  const im = work + planeBytes;
  if (inverse) turnRow(at, n, turns, work, im, true);
  else {
    foldRow(at, n, work, false);
    memory.fill(im, 0, planeBytes);
  }
  splitDft(plan, work, work + 2 * planeBytes, work + 4 * planeBytes, scratch);
  if (inverse) foldRow(at, n, work, true);
  else turnRow(at, n, turns, work, im, false);
}

/** Transforms the columns of `count` blocks. Forward takes them in folded order, the inverse leaves them so. */
export function columns(
  plan: usize, inverse: bool, blocks: usize, blockBytes: usize, count: usize, a: usize, b: usize, scratch: usize,
): void {
  const n = planSize(plan);
  for (; count > 0; count--, blocks += blockBytes) {
    if (inverse) {
      turnInverse(n, quarterTurns(plan), blocks, b);
      dft(plan, b, blocks, a, b, scratch);
    } else {
      turnForward(n, quarterTurns(plan), dft(plan, blocks, 0, a, b, scratch), blocks);
    }
  }
}

/**
 * Copies `count` rows of `cols` floats out of the blocks to `to`. `places` as above; with `exchanged`, the halves of
 * each block have changed places, as the inverse column transform leaves them.
 */
export function collect(
  blocks: usize, blockBytes: usize, cols: usize, places: usize, count: usize, exchanged: bool, to: usize,
): void {
  const stride = cols * 4;
  const endOfPlaces = places + count * 4;
  // Two blocks at a time: 64 bytes of a row, a whole cache line where rows begin at one.
  for (; cols >= 16; cols -= 16, blocks += 2 * blockBytes, to += 2 * COMPLEX) {
    let row = to;
    for (let place = places; place < endOfPlaces; place += 4, row += stride) {
      const from = blocks + load<u32>(place) * COMPLEX;
      copyComplex(from, exchanged, row);
      copyComplex(from + blockBytes, exchanged, row + COMPLEX);
    }
  }
  if (cols >= 8) {
    let row = to;
    for (let place = places; place < endOfPlaces; place += 4, row += stride) {
      copyComplex(blocks + load<u32>(place) * COMPLEX, exchanged, row);
    }
    cols -= 8, blocks += blockBytes, to += COMPLEX;
  }
  const flip: usize = exchanged ? 16 : 0;
  for (let place = places; place < endOfPlaces; place += 4, to += stride) {
    const from = blocks + load<u32>(place) * COMPLEX;
    for (let byte: usize = 0; byte < cols * 4; byte += 4) store<f32>(to + byte, load<f32>(from + (byte ^ flip)));
  }
}

// @ts-ignore: decorator
@inline
function copyComplex(from: usize, exchanged: bool, to: usize): void {
  const re = loadRe(from), im = loadIm(from);
  if (exchanged) storeComplex(to, im, re);
  else storeComplex(to, re, im);
}
