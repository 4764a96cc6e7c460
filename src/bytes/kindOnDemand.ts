/** For readers and models, which load it when a file is not of the format that most are of. */
export { assertKind, describeKind, fileKind, shownStart } from './fileKind.js';
