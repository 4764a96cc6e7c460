/** The exports of `assembly/embedded.ts`. Their parameters are addresses and counts. */
export interface EmbeddedExports {
  decodeBitmap(
    stream: number,
    list: number,
    count: number,
    bitmap: number,
    codes: number,
    spreads: number,
    scratch: number,
  ): number;
  storeTables(tables: number): void;
  mostCount(record: number): number;
  decodePlanes(
    records: number,
    tiles: number,
    codes: number,
    spreads: number,
    tables: number,
    apart: boolean,
    denseShift: number,
    rule: number,
    scratch: number,
  ): void;
  decodeSigns(record: number, weights: number, threshold: number, leastScale: number, tables: number): void;
  placeWeights(
    planes: number,
    stride: number,
    depth: number,
    groups: number,
    signs: number,
    dense: number,
    centroid: number,
    zeroCentroid: number,
    step: number,
    scratch: number,
    out: number,
  ): void;
  decodeMantissas(
    stream: number,
    position: number,
    planes: number,
    stride: number,
    depth: number,
    groups: number,
    signs: number,
    mantissaBits: number,
    scale: number,
    complete: number,
    bytes: number,
    scratch: number,
    absent: number,
    out: number,
  ): number;
  decodeSmall(
    stream: number,
    position: number,
    absent: number,
    weights: number,
    dense: number,
    nonzero: number,
    signedZeros: boolean,
    mantissaBits: number,
    exponentBits: number,
    tapered: boolean,
    lowest: number,
    bytes: number,
    out: number,
  ): number;
  restoreLong(sorted: number, columns: number, count: number, out: number): void;
  restoreShort(sorted: number, columns: number, count: number, out: number): void;
}
