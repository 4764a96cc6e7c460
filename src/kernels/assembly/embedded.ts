// The embedded encoding, tile by tile; `src/kernels/portable/embedded` does the same, and says why.
export * from './embedded/decode';
export * from './embedded/encode';
