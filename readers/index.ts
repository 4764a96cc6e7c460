/** Random access: readers over a source, with or without workers. */

export * from './hctChunks.js';
export * from './hctLayout.js';
export * from './hctReader.js';
export * from './holotensorReader.js';
export * from './safetensors.js';
export * from './safetensorsHeader.js';
