import type { FragmentMark, Measure, Step, TensorSummary } from '../protocol.js';

/** A state of what is streamed. */
export interface State extends Pick<Step, 'bytes' | 'quality' | 'complete'> {
  readonly tensors: ReadonlyMap<string, NumberTensor>;
}

/** A tensor; heat maps show it where its data are numbers. */
export interface NumberTensor {
  readonly shape: readonly number[];
  readonly data: { readonly byteLength: number };
}

/** What a racer is told while it streams. */
export interface Watcher {
  /** Of the load: ends it. */
  readonly signal: AbortSignal;
  /** Bytes that the connection has brought. */
  readonly received: () => number;
  /** A new state. If that many wait already to be examined, it replaces the last of them. */
  readonly onState: (state: State, mostWaiting?: number) => void;
  /** What came before may be examined from now on. */
  readonly onBegun: () => void;
  readonly onFragments: (marks: readonly Omit<FragmentMark, 'time'>[]) => void;
}

/** What a racer streams, open: a whole model, or the tensor of one file. */
export interface Streamed extends AsyncDisposable {
  readonly fileSize: number;
  /** Bytes of the elements of all tensors. */
  readonly weightBytes: number;
  readonly tensors: readonly TensorSummary[];
  readonly measure: Measure;
  /** At its end, every bit is that of the original. */
  readonly exact: boolean;
  /** Streams it to its end. */
  run(watcher: Watcher): Promise<void>;
  pause(): void;
  resume(): void;
}
