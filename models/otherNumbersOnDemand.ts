/** What converts elements of rare dtypes, for models that have some: the build makes one file of it, as of `openSource`. */
export { otherToFloat32 } from '../src/tensor/otherNumbers.js';
