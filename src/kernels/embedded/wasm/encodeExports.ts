import type { WasmRuntime } from '../../runtime/runtime.js';

/** The exports of `assembly/embeddedEncode.ts`. Their parameters are addresses and counts. */
export interface EmbeddedEncodeExports {
  widenShort(
    patterns: number,
    count: number,
    mantissaBits: number,
    exponentBits: number,
    scale: number,
    numbers: number,
  ): void;
  surveyRows(
    numbers: number,
    rows: number,
    rowLength: number,
    exponents: number,
    subnormals: number,
    energies: number,
    columns: number,
  ): void;
  surveyShort(
    patterns: number,
    rows: number,
    rowLength: number,
    exponents: number,
    subnormals: number,
    energies: number,
    columns: number,
    pairs: number,
  ): void;
  sortLong(row: number, columns: number, count: number, out: number): void;
  sortShort(row: number, columns: number, count: number, out: number): void;
  scatter(
    numbers: number,
    groups: number,
    factor: number,
    more: number,
    depth: number,
    planes: number,
    stride: number,
    signs: number,
    scratch: number,
  ): number;
  scatterShort(
    patterns: number,
    groups: number,
    mantissaBits: number,
    lowest: number,
    depth: number,
    planes: number,
    stride: number,
    signs: number,
    tables: number,
  ): void;
  countPlanes(
    weights: number,
    depth: number,
    threshold: number,
    planes: number,
    stride: number,
    significant: number,
    counts: number,
    dense: number,
    symbols: number,
    more: number,
  ): void;
  encodePlanes(
    weights: number,
    depth: number,
    first: number,
    planes: number,
    stride: number,
    signs: number,
    significant: number,
    counts: number,
    dense: number,
    scales: number,
    denseFrom: number,
    threshold: number,
    denseShift: number,
    codings: number,
    extracts: number,
    list: number,
    masks: number,
    batches: number,
    lengths: number,
    out: number,
  ): number;
  groupChanges(
    patterns: number,
    weights: number,
    isShort: boolean,
    mantissaBits: number,
    exponentBits: number,
    unit: number,
    scales: number,
    threshold: number,
    placings: number,
    magnitudes: number,
    out: number,
  ): void;
  measure(
    numbers: number,
    weights: number,
    depth: number,
    more: number,
    mantissaBits: number,
    planes: number,
    stride: number,
    denseFrom: number,
    dropped: number,
    buckets: number,
    pairs: number,
    sums: number,
  ): number;
  measureShort(
    patterns: number,
    weights: number,
    depth: number,
    mantissaBits: number,
    lowest: number,
    factor: number,
    denseFrom: number,
    rows: number,
    sums: number,
  ): number;
  countNonzero(
    patterns: number,
    groups: number,
    mantissaBits: number,
    lowest: number,
    counts: number,
    classOf: number,
    absent: number,
    nonzero: number,
    classes: number,
    symbols: number,
  ): void;
  encodeRemainder(
    patterns: number,
    weights: number,
    signs: number,
    counts: number,
    classOf: number,
    dense: number,
    codes: number,
    marks: boolean,
    mantissaBits: number,
    exponentBits: number,
    tapered: boolean,
    complete: number,
    lowest: number,
    absent: number,
    nonzero: number,
    tables: number,
    extracts: number,
    list: number,
    fields: number,
    batches: number,
    out: number,
  ): number;
}

/** The kernels in the memory of this runtime. */
export function encodeExports(runtime: WasmRuntime): EmbeddedEncodeExports {
  return runtime.exports<EmbeddedEncodeExports>('embeddedEncode');
}
