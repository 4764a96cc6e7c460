import type { FragmentMark, Measure, RacerEvent, Step, TensorSummary } from './protocol.js';

/** From which part of the held-out images on a model counts as right. */
export const RIGHT = 0.95;

/** `preparing`: a file of the user's is looked at, and becomes a model file where it cannot be streamed as it is. */
export type Status = 'waiting' | 'preparing' | 'loading' | 'paused' | 'cut' | 'done' | 'cancelled' | 'failed';

/** What is known of one load: all views are drawn from it. */
export interface Lane {
  readonly status: Status;
  /** Why it failed. */
  readonly message: string;
  readonly fileSize: number;
  readonly weightBytes: number;
  readonly tensors: readonly TensorSummary[];
  readonly measure: Measure;
  readonly exact: boolean;
  readonly received: number;
  readonly time: number;
  readonly steps: readonly Step[];
  readonly marks: readonly FragmentMark[];
  /** The first step at which it was right. */
  readonly right: Step | undefined;
  readonly retries: number;
}

export const EMPTY_LANE: Lane = {
  status: 'waiting',
  message: '',
  fileSize: 0,
  weightBytes: 0,
  tensors: [],
  measure: 'cosine',
  exact: true,
  received: 0,
  time: 0,
  steps: [],
  marks: [],
  right: undefined,
  retries: 0,
};

/** The lane after an event. */
export function afterEvent(lane: Lane, event: RacerEvent): Lane {
  switch (event.type) {
    case 'opened': {
      const { type: _, ...facts } = event;
      return { ...lane, ...facts };
    }
    case 'received': {
      const status = lane.status === 'cut' ? 'loading' : lane.status;
      return { ...lane, status, received: event.bytes, time: event.time };
    }
    case 'prepared':
      return { ...lane, status: 'loading' };
    case 'fragments':
      return { ...lane, marks: [...lane.marks, ...event.marks] };
    case 'step':
      return withStep(lane, event.step);
    case 'stopped':
      return { ...lane, status: 'paused' };
    case 'retry':
      return { ...lane, status: lane.status === 'loading' ? 'cut' : lane.status, retries: lane.retries + 1 };
    case 'done':
      return { ...lane, status: 'done', time: event.time };
    case 'cancelled':
      return { ...lane, status: 'cancelled' };
    case 'failed':
      return { ...lane, status: 'failed', message: event.message };
    default:
      return lane;
  }
}

function withStep(lane: Lane, step: Step): Lane {
  const steps = [...lane.steps, step];
  const isRight = step.accuracy !== undefined && step.accuracy >= RIGHT;
  return { ...lane, steps, right: lane.right ?? (isRight ? step : undefined) };
}

export function lastStep({ steps }: Lane): Step | undefined {
  return steps.at(-1);
}

/** Part of the bytes of the weights. */
export function partOf({ weightBytes }: Pick<Lane, 'weightBytes'>, bytes: number): number {
  return weightBytes === 0 ? 0 : Math.min(1, bytes / weightBytes);
}
