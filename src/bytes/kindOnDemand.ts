/** For readers, which load it when a file is not of their format. */
export { assertKind } from './fileKind.js';
