import { text } from '../../src/checks/options.js';
import type { BulkEncodeOptions, BulkModel } from '../models.js';

/** What is in Redis: a flow of BullMQ for each model, its units before its join. Programs without BullMQ see these types. */

export const UNITS = 'holostream-units';
export const JOINS = 'holostream-joins';

/** Where Redis or Valkey is. */
export interface RedisOption {
  /** Default: the variable `REDIS_URL` of the environment, or `redis://127.0.0.1:6379`. */
  readonly redis?: string | undefined;
}

export const REDIS_RULES = { redis: text };

/** The job of a model: its units are its children. */
export interface JoinData {
  /** See `OpenedModel`. */
  readonly id: string;
  /** Of this job: the model with its file, and its storage. One model can be wanted in several. */
  readonly key: string;
  readonly model: BulkModel;
  readonly options: BulkEncodeOptions;
  /** The URL of the storage. */
  readonly to: string;
  readonly units: number;
  readonly bytes: number;
  /** Bytes a second that all workers together read from a host of sources. */
  readonly hostRate?: number | undefined;
  /** Why it failed for good. */
  readonly error?: FailedJob | undefined;
}

/** All else is in the job of the model, because there are many of these. */
export interface UnitData {
  /** Of the job of the model. */
  readonly key: string;
  readonly unit: number;
  readonly bytes: number;
  /** Of a tensor that is divided: the range. Undefined for the job of the tensor, which waits for those of its ranges. */
  readonly range?: number | undefined;
  /** The jobs of its ranges have been added. */
  readonly isDivided?: boolean | undefined;
  /** Its turn at its host has come, see `hostRate.ts`. */
  readonly isDue?: boolean | undefined;
  readonly error?: FailedJob | undefined;
}

/** Options of the job of a unit, or of a range of one. */
export function optionsOfUnit<T extends object>(shared: T) {
  return { ...shared, removeOnComplete: true, removeOnFail: false, failParentOnFailure: true };
}

export interface UnitOutcome {
  readonly bytes: number;
  /** Units that it counts for: the ranges of a tensor that was divided. Default 1. */
  readonly units?: number | undefined;
  readonly isNew: boolean;
}

export interface JoinOutcome {
  readonly fileSize: number;
  readonly isNew: boolean;
}

/** An error with its fields, as JSON. */
export interface FailedJob {
  readonly name: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a worker of the queue has done with one job. */
export interface JobOutcome {
  readonly output: string;
  /** Undefined for a join. */
  readonly unit: number | undefined;
  /** Of a tensor that is divided: which of its ranges; undefined where its fragments were laid out. */
  readonly range?: number | undefined;
  /** 'found': the storage had it; 'retried' and 'failed' with an error. */
  readonly state: 'encoded' | 'joined' | 'found' | 'retried' | 'failed' | 'returned';
  /** Of the tensors, or of the model file. */
  readonly bytes: number;
  readonly error?: unknown;
}
