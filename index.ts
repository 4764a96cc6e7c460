/**
 * holostream: everything that runs both in browsers and in Node. What needs files is in `holostream/node`; the
 * folders have entries of their own (`holostream/sources`, `/operators`, `/sinks`).
 */

// Whole models.
export * from './models/index.js';
export * from './operators/index.js';
export * from './readers/index.js';
export * from './sinks/index.js';
// Where bytes come from, what happens on the way, where tensors go.
export * from './sources/index.js';
// The core: formats, codecs, numbers.
export * from './src/index.js';
export * from './workers/index.js';
