/** The safetensors format: a JSON header of names, dtypes, shapes and offsets, then the bytes of the tensors. */

export * from './dtypes.js';
export * from './header.js';
export * from './parse.js';
export * from './serialize.js';
