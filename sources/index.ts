/** Where bytes come from. Node's files are in `holostream/node`. */

export * from './blob.js';
export * from './bytes.js';
export * from './http.js';
export * from './stream.js';
