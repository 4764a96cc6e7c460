import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pullStream } from '../../../sources/pullStream.js';
import { readExactly } from '../../../sources/read.js';
import { inTurns, nextTurn, type Steps } from '../../../src/async/steps.js';

const test = suite('long work in turns');

/** Less than a turn. */
const STEP_MS = 3;
const STEPS = 20;

function work(): void {
  const end = performance.now() + STEP_MS;
  while (performance.now() < end);
}

/** How many other tasks ran before the end of `long`. */
async function othersDuring(long: () => Promise<unknown>): Promise<number> {
  let others = 0;
  let goesOn = true;
  const other = () => {
    others += 1;
    if (goesOn) setImmediate(other);
  };
  setImmediate(other);
  try {
    await long();
  } finally {
    goesOn = false;
  }
  return others;
}

test('pieces of work that are each shorter than a turn let others in between them', async () => {
  function* two(): Steps<void> {
    work();
    yield;
    work();
  }
  const others = await othersDuring(async () => {
    for (let i = 0; i < STEPS / 2; i++) await inTurns(two());
  });
  assert.ok(others > 2, `${others} others`);
});

test('loops over promises that are settled already let others in', async () => {
  const others = await othersDuring(async () => {
    for (let i = 0; i < STEPS; i++) {
      await nextTurn();
      work();
    }
  });
  assert.ok(others > 2, `${others} others`);
});

test('work after an abort is not begun', async () => {
  let steps = 0;
  const abort = new AbortController();
  setImmediate(() => abort.abort(new Error('enough')));
  function* many(): Steps<void> {
    for (; steps < 1000; steps++) {
      work();
      yield;
    }
  }
  try {
    await inTurns(many(), abort.signal);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'enough');
  }
  assert.ok(steps < 1000);
});

test('a source whose chunks are all there lets others in while it is read', async () => {
  let chunks = 0;
  const reader = {
    next: async () => {
      if (chunks === STEPS) return undefined;
      chunks += 1;
      work();
      return new Uint8Array(10);
    },
  };
  const others = await othersDuring(() => readExactly(pullStream(reader, []), 10 * STEPS));
  assert.ok(others > 2, `${others} others`);
});

test.run();
