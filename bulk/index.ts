/**
 * Converts many models, or one that is too large for a machine, on any number of machines (Node).
 *
 * @example
 * const storage = await folderStorage('converted');
 * const models = [{ sources: ['model.safetensors'], output: 'model.holo.safetensors' }];
 * for (const { output, fileSize, error } of await convertModels(models, storage)) console.log(output, fileSize ?? error);
 *
 * @module
 */

// Models, and converting them in this process.

export {
  type BulkProgress,
  type ConvertedModel,
  type ConvertOptions,
  convertModels,
} from './convert.js';
export type { BulkEncodeOptions, BulkModel } from './models.js';

// Converting them by a queue in Redis or Valkey: the packages `bullmq` and `ioredis`, optional peers.

export { type AddedModel, type AddOptions, addModels } from './queue/addModels.js';
export type { FailedJob, JobOutcome, RedisOption } from './queue/jobs.js';
export {
  type BulkStatus,
  bulkStatus,
  type FailedUnit,
  type ModelStatus,
  type StatusOptions,
} from './queue/status.js';
export { type WorkOptions, workBulk } from './queue/work.js';

// Where results are, and deleting what no conversion needs.

export { type CleanOptions, type CleanResult, cleanStorage } from './cleanStorage.js';
export { folderStorage } from './storage/folder.js';
export { openBulkStorage } from './storage/openStorage.js';
export type {
  AbortUploadsOptions,
  BulkStorage,
  BulkUpload,
  ListedObject,
  ReadObjectOptions,
  StoredObject,
  UploadOptions,
} from './storage/storage.js';
export type { Shard } from './units.js';
