import { concatBytes } from './bytes.js';

/** A .npy file as it is described: the text of its header, and bytes. */
export interface NpyFileParts {
  readonly descr?: string;
  readonly fortran?: string;
  readonly shape?: string;
  /** In place of the three. */
  readonly text?: string;
  readonly version?: readonly [number, number];
  readonly data?: Uint8Array;
}

export function npyFile({
  descr = "'<f4'",
  fortran = 'False',
  shape = '(2,)',
  text = `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`,
  version = [1, 0],
  data = new Uint8Array(8),
}: NpyFileParts): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(`${text}\n`);
  const length = new Uint8Array(version[0] === 1 ? 2 : 4);
  for (let i = 0; i < length.length; i++) length[i] = header.length >> (8 * i);
  return concatBytes([Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, ...version), length, header, data]);
}

/** Bytes per element by the letter and digit of NumPy, and the dtype. */
export const NPY_DTYPES: Readonly<Record<string, readonly [dtype: string, size: number]>> = {
  b1: ['BOOL', 1],
  u1: ['U8', 1],
  i1: ['I8', 1],
  u2: ['U16', 2],
  i2: ['I16', 2],
  f2: ['F16', 2],
  u4: ['U32', 4],
  i4: ['I32', 4],
  f4: ['F32', 4],
  u8: ['U64', 8],
  i8: ['I64', 8],
  f8: ['F64', 8],
  c8: ['C64', 8],
};

/**
 * A file with elements of these bytes, which are little-endian and row-major.
 * @param type such as `f4`
 */
export function npyOf(
  type: string,
  shape: readonly number[],
  elements: Uint8Array,
  { bigEndian = false, fortran = false, version = [1, 0] as readonly [number, number] } = {},
): Uint8Array<ArrayBuffer> {
  const [, size] = NPY_DTYPES[type]!;
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const data = new Uint8Array(count * size);
  if (!bigEndian && !fortran) data.set(elements);
  // Element by element where they move.
  for (let i = 0; i < (bigEndian || fortran ? count : 0); i++) {
    // The place of row-major element i: its index along each dimension, weighed by the strides of the file.
    let rest = i;
    let place = 0;
    for (let k = shape.length - 1; k >= 0; k--) {
      const index = rest % shape[k]!;
      rest = Math.floor(rest / shape[k]!);
      place += index * shape.slice(0, k).reduce((product, dimension) => product * dimension, 1);
    }
    const element = elements.slice(i * size, (i + 1) * size);
    if (bigEndian) {
      const part = type === 'c8' ? 4 : size;
      for (let start = 0; start < size; start += part) element.subarray(start, start + part).reverse();
    }
    data.set(element, (fortran ? place : i) * size);
  }
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const order = size === 1 ? '|' : bigEndian ? '>' : '<';
  return npyFile({
    ...{ descr: `'${order}${type}'`, fortran: fortran ? 'True' : 'False', shape: tuple, version, data },
  });
}
