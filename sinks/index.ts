/** Where bytes and tensors go. Node's files are in `holostream/node`. */
export * from './tensor.js';
