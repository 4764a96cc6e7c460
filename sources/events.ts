import { callback, type Rules } from '../src/checks/options.js';

/** What a source does to get its bytes, for logs and progress displays. */
export type SourceEvent =
  | {
      readonly type: 'request';
      readonly url: string;
      readonly start: number;
      /** One past the last byte; undefined for "to the end". */
      readonly end: number | undefined;
    }
  | { readonly type: 'response'; readonly url: string; readonly status: number }
  | {
      readonly type: 'retry';
      readonly error: unknown;
      /** Failures in a row, with less than 1 KiB between them, from 1. */
      readonly attempt: number;
      /** Milliseconds until the next attempt. */
      readonly delay: number;
      /** The byte to continue from. */
      readonly position: number;
    }
  | {
      readonly type: 'failover';
      readonly error: unknown;
      /** Indices in the list of sources. */
      readonly from: number;
      readonly to: number;
      readonly position: number;
    }
  /** A part of the file was read from the cache. */
  | { readonly type: 'cache-hit'; readonly start: number; readonly end: number }
  /** An entry was damaged or half-written, and has been deleted. */
  | { readonly type: 'cache-drop'; readonly name: string }
  /** An entry was deleted to make room. */
  | { readonly type: 'cache-evict'; readonly name: string }
  /**
   * Something is not kept, and the event is the only one about it: the store fails (a quota, a disk) or does not give back
   * what it is given, after which the cache writes nothing more; or a source does not say what a cache needs to know.
   */
  | { readonly type: 'cache-failure'; readonly error: unknown };

/** Called for each event; what it throws is thrown by the read under way. */
export type OnSourceEvent = (event: SourceEvent) => void;

/** Options that have nothing else. */
export const EVENT_RULES: Rules<{ readonly onEvent?: OnSourceEvent | undefined }> = { onEvent: callback };
