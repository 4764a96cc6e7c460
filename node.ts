/**
 * What Node adds: files and folders on disk. Everything else is in the main entry, `holostream`.
 *
 * @example
 * const file = await fileSource('fc1.weight.hct');
 * const reader = await HctReader.open(file);
 * const rows = await reader.readRows(100, 104);
 * await file.close();
 *
 * @module
 */

// Sources, sinks and stores.

export { type FileSink, type FileSinkOptions, fileSink, removeLeftovers } from './sinks/file.js';
export { folderStore } from './sources/cache/folderStore.js';
export { type FileSource, fileSource } from './sources/file.js';

// HCT files.

export { compressFile, type DecompressFileOptions, decompressFile } from './readers/hctFiles.js';

// HoloTensor files.

export {
  decodeFromFile,
  decodeFromFileProgressive,
  type HoloTensorDecodeOptions,
  type HoloTensorFileOptions,
  openHoloTensor,
  readHoloTensor,
} from './readers/holotensorFiles.js';
export { encodeToFile, writeHoloTensor } from './sinks/holotensorFile.js';

// Model files and model directories.

export {
  type ModelFolderSink,
  type ModelFolderSinkOptions,
  modelFolder,
  modelFolderSink,
} from './models/directory/modelFolder.js';
export { type FolderStagingStore, folderStagingStore } from './models/file/folderStagingStore.js';
