import { tick } from '../helpers/streams.js';

/** How far something is ahead of a reader that is slower than it by any factor: the reader moves only when nothing else does. */

/** What one public stream, source or sink holds at most while it waits. */
export interface Case {
  /** The call that makes it, as `publicCalls` names it. */
  readonly of: string;
  /** What is particular about this case. */
  readonly how?: string;
  /** Bytes, as the table of docs/reliability.md says. */
  readonly bound: number;
  readonly peak: () => Promise<number>;
}

/** Bytes of input taken, less those whose results have been delivered. */
export class Gauge {
  taken = 0;
  peak = 0;
  #delivered = 0;

  take(bytes: number): void {
    this.taken += bytes;
    this.peak = Math.max(this.peak, this.taken - this.#delivered);
  }

  /** @param bytes of input in all */
  deliver(bytes: number): void {
    this.#delivered = Math.max(this.#delivered, bytes);
  }
}

const QUIET_TURNS = 8;

/** Waits until nothing has been taken for some turns of the event loop. */
export async function settled(gauge: Gauge): Promise<void> {
  let before = gauge.taken;
  for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
    await tick(1);
    if (gauge.taken !== before) quiet = -1;
    before = gauge.taken;
  }
}

/** A stream that gives an item when it is asked for one, and counts it. */
export function counted<I>(items: readonly I[], weigh: (item: I) => number, gauge: Gauge): ReadableStream<I> {
  let next = 0;
  return new ReadableStream<I>(
    {
      pull(controller) {
        if (next === items.length) return controller.close();
        const item = items[next++]!;
        gauge.take(weigh(item));
        controller.enqueue(item);
      },
    },
    { highWaterMark: 0 },
  );
}

export interface StageInput<I, O> {
  readonly items: readonly I[];
  readonly weigh: (item: I) => number;
  /** Of outputs, in any unit. */
  readonly weighOutput: (output: O) => number;
}

/** Outputs that have come, and the input that they needed: found by giving one item after the other to an idle reader. */
export interface Need {
  readonly outputs: number;
  readonly input: number;
}

export async function needsOf<I, O>(
  stage: TransformStream<I, O>,
  { items, weigh, weighOutput }: StageInput<I, O>,
): Promise<Need[]> {
  const needs: Need[] = [];
  let input = 0;
  let outputs = 0;
  const reading = (async () => {
    for await (const output of stage.readable) {
      outputs += weighOutput(output);
      needs.push({ outputs, input });
    }
  })();
  const writer = stage.writable.getWriter();
  for (const item of items) {
    input += weigh(item);
    await writer.write(item);
    await tick(0);
  }
  await writer.close();
  await reading;
  return needs;
}

/** Enough outputs to see whether something piles up. */
const READS = 12;

/** @param needs of the same work; default: of a stage of its own */
export async function aheadOfReader<I, O>(
  make: () => TransformStream<I, O>,
  input: StageInput<I, O>,
  needs?: readonly Need[],
): Promise<number> {
  const known = needs ?? (await needsOf(make(), input));
  const gauge = new Gauge();
  const reader = counted(input.items, input.weigh, gauge).pipeThrough(make()).getReader();
  let outputs = 0;
  for (let reads = 0; reads < READS; reads++) {
    await settled(gauge);
    // What the output asked for needs is not ahead of it.
    gauge.deliver((known.find((need) => need.outputs > outputs) ?? known.at(-1)!).input);
    const { done, value } = await reader.read();
    if (done) break;
    outputs += input.weighOutput(value);
  }
  await settled(gauge);
  await reader.cancel();
  return gauge.peak;
}

/** How far a source has read ahead of the reader of its stream. `gauge` counts what it reads. */
export async function aheadOfStream(stream: ReadableStream<Uint8Array>, gauge: Gauge): Promise<number> {
  const reader = stream.getReader();
  let bytes = 0;
  for (let reads = 0; reads < READS; reads++) {
    await settled(gauge);
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    gauge.deliver(bytes);
  }
  await settled(gauge);
  await reader.cancel();
  return gauge.peak;
}

/** A sink for a test: each write ends when it is let. */
export class SlowSink {
  written = 0;
  readonly #gauge: Gauge;
  #waiting: (() => void) | undefined;
  #free = false;

  constructor(gauge: Gauge) {
    this.#gauge = gauge;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#free) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.written += bytes.length;
    this.#gauge.deliver(this.written);
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}

  go(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Nothing waits any more: an aborted pipe ends when what it has taken is written. */
  free(): void {
    this.#free = true;
    this.go();
  }
}

/** How much a sink has taken ahead of what it is written to. */
export async function aheadOfSink<I>(
  make: (sink: SlowSink) => WritableStream<I> | Promise<WritableStream<I>>,
  items: readonly I[],
  weigh: (item: I) => number,
): Promise<number> {
  const gauge = new Gauge();
  const sink = new SlowSink(gauge);
  const abort = new AbortController();
  const target = await make(sink);
  const piped = counted(items, weigh, gauge).pipeTo(target, { signal: abort.signal });
  const ended = piped.catch(() => {});
  for (let writes = 0; writes < READS; writes++) {
    await settled(gauge);
    sink.go();
  }
  await settled(gauge);
  abort.abort();
  sink.free();
  await ended;
  return gauge.peak;
}
