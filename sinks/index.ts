/** Where bytes and tensors go. Node's files are in `holostream/node`. */

export * from './hct.js';
export * from './hctWriter.js';
export * from './holotensorWriter.js';
export * from './memory.js';
export * from './safetensors.js';
export * from './streams.js';
export * from './tensor.js';
