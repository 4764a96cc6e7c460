import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CalibratedTensor, calibrate } from '../../../models/file/calibrate.js';
import { ArgumentError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { normalFrom } from '../../helpers/random.js';

const random = normalFrom(11);

function tensor(...shape: number[]): CalibratedTensor {
  const elements = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float32Array.from({ length: elements }, random) };
}

const INPUTS = Array.from({ length: 8 }, () => Float32Array.from({ length: 32 }, random));

/** Adds what two layers make of the inputs, that of `strong` ten times. */
const TENSORS: ReadonlyMap<string, CalibratedTensor> = new Map([
  ['strong', tensor(64, 32)],
  ['weak', tensor(64, 32)],
  ['unused', tensor(64, 32)],
  ['bias', tensor(64)],
  ['steps', { shape: [1], data: new BigInt64Array(1) as never }],
]);

function evaluate(weights: ReadonlyMap<string, Float32Array>): number[] {
  return INPUTS.flatMap((input) =>
    Array.from({ length: 64 }, (_, row) => {
      const part = (name: string) =>
        input.reduce((sum, x, i) => sum + x * weights.get(name)![32 * row + i]!, 0);
      return 10 * part('strong') + part('weak') + weights.get('bias')![row]!;
    }),
  );
}

test('tensors are as important as the outputs feel their errors', async () => {
  const factors = await calibrate(TENSORS, evaluate);
  assert.equal([...factors.keys()], ['strong', 'weak', 'unused']);
  const [strong, weak, unused] = [...factors.values()] as [number, number, number];
  const mean = (strong + weak + unused) / 3;
  assert.ok(Math.abs(mean - 1) < 1e-3, `${mean}`);
  // Squared errors: a hundred times, but for what the two errors happen to be.
  assert.ok(strong > 80 * weak && strong < 120 * weak, `${strong}, ${weak}`);
  assert.is(unused, Number((strong / 1000).toPrecision(4)));
});

test('one tensor at a time is changed, and the others are whole', async () => {
  const changed: string[][] = [];
  await calibrate(TENSORS, (weights) => {
    changed.push([...weights.keys()].filter((name) => weights.get(name) !== TENSORS.get(name)!.data));
    return evaluate(weights);
  });
  assert.equal(changed, [[], ['strong'], ['weak'], ['unused']]);
});

test('a coarser measurement finds the same order', async () => {
  const factors = await calibrate(TENSORS, async (weights) => evaluate(weights), { cosine: 0.8 });
  assert.ok(factors.get('strong')! > factors.get('weak')!);
  await rejects(calibrate(TENSORS, evaluate, { cosine: 2 }), ArgumentError, /cosine/);
});

test('weights by shape are not counted twice', async () => {
  const tall = tensor(256, 32);
  const output = ({ data }: { data: Float32Array }) => [...data];
  const tensors = new Map([
    ['tall', tall],
    ['wide', { shape: [32, 256], data: tall.data }],
  ]);
  const factors = await calibrate(tensors, (weights) =>
    ['tall', 'wide'].flatMap((name) => output({ data: weights.get(name)! })),
  );
  // By default, a tensor with eight times as many rows as columns counts √8 times.
  assert.ok(Math.abs(factors.get('wide')! / factors.get('tall')! - Math.sqrt(8)) < 0.01);
});

test('progress, and an abort between two evaluations', async () => {
  const steps: [number, number][] = [];
  await calibrate(TENSORS, evaluate, { onProgress: (done, total) => steps.push([done, total]) });
  assert.equal(steps, [
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
  const abort = new AbortController();
  const reason = new Error('enough');
  let calls = 0;
  const stopped = calibrate(
    TENSORS,
    (weights, { signal }) => {
      assert.is(signal, abort.signal);
      calls += 1;
      if (calls === 2) abort.abort(reason);
      return evaluate(weights);
    },
    { signal: abort.signal },
  );
  await rejects(stopped, Error, /enough/);
  assert.is(calls, 2);
});

test('outputs that say nothing are refused', async () => {
  let calls = 0;
  for (const [outputs, message] of [
    [() => [], /finite numbers/],
    [() => [1, Number.NaN], /finite numbers/],
    [() => Array<number>(++calls).fill(1), /not always as many/],
    [() => [1, 2], /no tensor changes/],
  ] as const) {
    await rejects(calibrate(TENSORS, outputs), ArgumentError, message);
  }
  await rejects(
    calibrate(new Map(), () => [1]),
    ArgumentError,
    /no tensor changes/,
  );
  await rejects(calibrate([] as never, evaluate), ArgumentError, /a Map/);
  await rejects(calibrate(TENSORS, undefined as never), ArgumentError, /evaluate/);
});

test.run();
