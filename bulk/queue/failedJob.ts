import { HolostreamError, SinkError, SourceError, WorkerError } from '../../src/errors.js';
import type { FailedJob } from './jobs.js';

/** Fields of errors that say where and what, as they are shown. */
const FIELDS = ['where', 'offset', 'blockIndex', 'fragmentIndex', 'expected', 'actual', 'status'] as const;

/** An error in JSON: its class, its sentence, and its fields. */
export function failedJob(error: unknown): FailedJob {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const fields = Object.fromEntries(
    FIELDS.flatMap((field) => {
      const value = (error as Readonly<Record<string, unknown>> | null)?.[field];
      return value === undefined ? [] : [[field, typeof value === 'bigint' ? String(value) : value]];
    }),
  );
  return { name, message, fields };
}

/** Whether the same may succeed later: not what is wrong with the data or the options. */
export function mayRecover(error: unknown): boolean {
  if (error instanceof SourceError) return error.retryable;
  if (error instanceof SinkError || error instanceof WorkerError) return true;
  return !(error instanceof HolostreamError);
}
