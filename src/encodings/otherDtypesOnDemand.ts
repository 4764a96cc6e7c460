/** What decoders load for tensors of integers and of floats of eight bits: the build makes one file of it, as of `openSource`. */

export { float8ToFloat32 } from '../tensor/float8.js';
export { fromFloat32 } from '../tensor/numbers.js';
export { float8Elements } from './embedded/float8.js';
