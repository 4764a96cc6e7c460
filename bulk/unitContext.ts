import type { EncodeTools } from '../models/file/encodeTensor.js';
import type { BulkEncodeOptions, TensorChoices } from './models.js';
import type { UnitNote } from './notes.js';
import type { OpenedModel } from './openModel.js';
import type { BulkStorage } from './storage/storage.js';

/** What has become of a unit. */
export interface UnitResult {
  readonly note: UnitNote;
  /** False when an earlier run, or another model, has encoded it. */
  readonly isNew: boolean;
}

/** Everything that units of a model are encoded with. */
export interface UnitContext {
  readonly opened: OpenedModel;
  readonly choices: TensorChoices;
  readonly options: BulkEncodeOptions;
  readonly storage: BulkStorage;
  readonly tools: EncodeTools;
}
