/** What holostream adds in Node: files. Everything else is in the main entry, `holostream`. */

export * from './sinks/compressFile.js';
export * from './sinks/decompressFile.js';
export * from './sinks/file.js';
export * from './sinks/folderSpool.js';
export * from './sinks/holotensorFile.js';
export * from './sinks/modelFolder.js';
export * from './sources/cache/folderStore.js';
export * from './sources/file.js';
export * from './sources/holotensorFile.js';
export * from './sources/modelFolder.js';
