/** What holostream adds in Node: files. Everything else is in the main entry, `holostream`. */

export * from './models/directory/modelFolder.js';
export * from './models/directory/modelFolderSink.js';
export * from './models/file/folderStagingStore.js';
export * from './readers/compressFile.js';
export * from './readers/decompressFile.js';
export * from './readers/holotensorFile.js';
export * from './sinks/file.js';
export * from './sinks/holotensorFile.js';
export * from './sources/cache/folderStore.js';
export * from './sources/file.js';
