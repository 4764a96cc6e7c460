import { CommanderError } from 'commander';
import { ArgumentError, HolostreamError } from '../src/errors.js';

/** The process's exit codes. */
export const EXIT_OK = 0;
/** The data is bad, or cannot be read or written. */
export const EXIT_DATA = 1;
/** The command line makes no sense. */
export const EXIT_USAGE = 2;

/** The command line makes no sense; the message says what would. */
export class UsageError extends Error {}

/** The command makes sense, but not for these data. */
export class DataError extends Error {}

export interface Failure {
  readonly code: number;
  /** One line for people; empty when there is nothing to say. */
  readonly message: string;
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CommanderError) return describeCommanderError(error);
  const message = oneLine(error instanceof Error ? error.message : String(error));
  if (isBrokenPipe(error)) return { code: EXIT_OK, message: '' };
  const usage = error instanceof UsageError || error instanceof ArgumentError;
  if (usage) return { code: EXIT_USAGE, message };
  const expected = error instanceof HolostreamError || error instanceof DataError || isSystemError(error);
  return { code: EXIT_DATA, message: expected ? message : `unexpected: ${message}` };
}

/** Commander counts asking for help as an error too; its messages begin with "error: ". */
function describeCommanderError({ code, message }: CommanderError): Failure {
  const asked = code === 'commander.helpDisplayed' || code === 'commander.version';
  if (asked) return { code: EXIT_OK, message: '' };
  if (code === 'commander.help') return { code: EXIT_USAGE, message: '' };
  return { code: EXIT_USAGE, message: oneLine(message.replace(/^error: /, '')) };
}

/** The reader of our output has gone (`… | head`): nothing went wrong here. */
function isBrokenPipe(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EPIPE';
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
