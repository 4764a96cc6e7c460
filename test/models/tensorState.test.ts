import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PieceDecoder } from '../../models/inputs/content.js';
import { openModelFile } from '../../models/inputs/modelFile.js';
import { TensorState } from '../../models/tensorState.js';
import { bytesSource } from '../../sources/bytes.js';
import { Budget, limitsOf } from '../../src/checks/limits.js';
import { ChecksumError } from '../../src/errors.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects, throws } from '../helpers/assertions.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { trainedLike } from '../helpers/trained.js';

const test = suite('states of tensors');

const SMALL = [64, 64];
/** Its pieces are decoded as they come. */
const LARGE = [257, 256];

async function fileOf(shape: readonly number[]) {
  const values = trainedLike(shape, 1);
  const file = await encodeToModelFile({
    'model.safetensors': modelOf([{ name: 'w', dtype: 'F32', shape }], undefined, () =>
      viewBytes(values).slice(),
    ),
  });
  return { values, file };
}

const FILES = { small: await fileOf(SMALL), large: await fileOf(LARGE) };

async function opened(which: keyof typeof FILES = 'large', onRefused?: (error: unknown) => void) {
  const { values, file } = FILES[which];
  const { tensors } = await openModelFile(bytesSource(file), {});
  const tensor = tensors[0]!;
  const state = new TensorState(tensor, undefined, onRefused);
  const options = { pool: undefined, budget: new Budget(limitsOf()), isOwn: false };
  const bytesOf = (piece: number) => {
    const { offset, length } = tensor.pieces[piece]!;
    return file.slice(offset, offset + length);
  };
  return {
    tensor,
    values,
    state,
    bytesOf,
    add: (piece: number) => state.add(piece, bytesOf(piece), options),
    options,
  };
}

test('fragments are decoded at once where nothing has to wait: a promise for each would cost more', async () => {
  const { tensor, values, state, add } = await opened();
  await add(0);
  // The first one is compressed, and loads its codec; long ones may be compressed, too.
  await add(1);
  const compressed = tensor.pieces.findIndex(({ length }) => length > 2 ** 13);
  assert.ok(compressed > 5);
  for (let piece = 2; piece < tensor.pieces.length; piece++) {
    const added = add(piece);
    if (piece < compressed) assert.is(added, undefined, `${piece}`);
    else await added;
  }
  assert.ok(state.complete);
  assert.equal((await state.read({}))?.data, values);
});

test('all that is asked for at the same time is done in its order', async () => {
  const { tensor, state, add } = await opened();
  const last = tensor.pieces.length - 1;
  // The header has to wait, and all others for it, in whatever order they come.
  const adding = [0, 2, 1].map(add);
  const read = state.read({});
  for (let piece = last; piece > 2; piece--) adding.push(add(piece));
  assert.ok(Math.abs((await read)!.cosine - tensor.pieces[2]!.cosine) < 1e-6);
  await Promise.all(adding);
  assert.ok(state.complete);
});

test('as many fragments as a file may have wait for the first one', async () => {
  const { tensor, options } = await opened();
  const count = limitsOf().fragments;
  let taken = 0;
  const decoder = {
    add: () => {
      taken += 1;
    },
    complete: false,
    cosine: 0.5,
    reconstructingTensor: async () => undefined,
  };
  const state = new TensorState({ ...tensor, createDecoder: async () => decoder });
  for (let piece = count - 1; piece > 0; piece--) state.add(piece, Uint8Array.of(1), options);
  await state.add(0, Uint8Array.of(1), options);
  assert.is(taken, count);
});

test('a fragment that is refused at once may come again', async () => {
  const { state, add, bytesOf, options } = await opened();
  await add(0);
  await add(1);
  const broken = bytesOf(2);
  broken[3]! ^= 1;
  throws(() => void state.add(2, broken, options), ChecksumError, /wrong checksum/);
  assert.not.ok(state.has(2));
  add(2);
  assert.ok(state.has(2));
});

/** The same, with all but its last piece, in this order. */
async function held(
  order: (pieces: number[]) => number[] = (pieces) => pieces,
  onRefused?: (error: unknown) => void,
) {
  const made = await opened('small', onRefused);
  const last = made.tensor.pieces.length - 1;
  const pieces = order(Array.from({ length: last }, (_, piece) => piece));
  for (const piece of pieces) assert.is(made.add(piece), undefined, `${piece}`);
  return { ...made, last };
}

test('pieces of a small tensor are held until the last has come, in any order', async () => {
  for (const order of [(pieces: number[]) => pieces, (pieces: number[]) => pieces.toReversed()]) {
    const { tensor, values, state, add, last } = await held(order);
    assert.not.ok(state.complete);
    assert.is(state.cosine, tensor.pieces[last - 1]!.cosine);
    for (let piece = 0; piece < last; piece++) assert.ok(state.has(piece));
    await add(last);
    assert.ok(state.complete);
    assert.is(state.cosine, 1);
    assert.equal((await state.read({}))?.data, values);
  }
});

test('nothing is held of a small tensor that has more bytes than it needs: a damaged piece is found when it comes', async () => {
  const { tensor, bytesOf, options } = await opened('small');
  const pieces = tensor.pieces.map((piece) => ({ ...piece, length: 2 ** 20 }));
  const state = new TensorState({ ...tensor, pieces });
  const broken = bytesOf(0);
  broken[3]! ^= 1;
  await rejects(Promise.resolve(state.add(0, broken, options)), ChecksumError, /wrong checksum/);
});

test('behind a gap, pieces that are held count for nothing', async () => {
  const { tensor, state, add } = await opened('small');
  add(0);
  add(1);
  add(3);
  assert.is(state.cosine, tensor.pieces[1]!.cosine);
  assert.ok(Math.abs((await state.read({}))!.cosine - tensor.pieces[1]!.cosine) < 1e-6);
  await add(2);
  assert.ok(Math.abs(state.cosine - tensor.pieces[3]!.cosine) < 1e-6);
});

test('what is held is decoded when numbers are asked for, and when a load ends', async () => {
  for (const ask of ['read', 'settle', 'takeHeld'] as const) {
    const { tensor, state, last, add } = await held();
    await state[ask]({});
    // Not the cosine of the plan, which is rounded otherwise.
    assert.not.equal(state.cosine, tensor.pieces[last - 1]!.cosine);
    assert.ok(Math.abs(state.cosine - tensor.pieces[last - 1]!.cosine) < 1e-6);
    await add(last);
    assert.ok(state.complete, ask);
  }
});

test('a damaged piece among those that are held is refused; those before are decoded, and it may come again', async () => {
  for (const damaged of [0, 1, 3]) {
    const { tensor, values, state, add, bytesOf, options, last } = await held();
    const broken = bytesOf(damaged);
    broken[broken.length - 1]! ^= 1;
    assert.is(state.add(damaged, broken, options), undefined);
    const error = await rejects(state.settle({}), ChecksumError, /wrong checksum/);
    assert.is(error.tensor, 'w');
    const before = damaged === 0 ? 0 : tensor.pieces[damaged - 1]!.cosine;
    assert.ok(Math.abs(state.cosine - before) < 1e-6, `${damaged}`);
    for (let piece = 0; piece < last; piece++) assert.is(state.has(piece), piece !== damaged);
    await add(damaged);
    await add(last);
    assert.equal((await state.read({}))?.data, values);
  }
});

test('a reader of held pieces gets those before a damaged one, and the load is told', async () => {
  for (const damaged of [0, 1, 3]) {
    const told: unknown[] = [];
    const { tensor, values, state, add, bytesOf, options, last } = await held(undefined, (error) =>
      told.push(error),
    );
    const broken = bytesOf(damaged);
    broken[broken.length - 1]! ^= 1;
    state.add(damaged, broken, options);
    const read = await state.read({});
    const before = damaged === 0 ? 0 : tensor.pieces[damaged - 1]!.cosine;
    assert.ok(Math.abs((read?.cosine ?? 0) - before) < 1e-6, `${damaged}`);
    assert.is(told.length, 1);
    assert.instance(told[0], ChecksumError);
    assert.is((told[0] as ChecksumError).tensor, 'w');
    assert.not.ok(state.has(damaged));
    await add(damaged);
    await add(last);
    assert.equal((await state.read({}))?.data, values);
  }
});

test('a reader that aborts while held pieces are decoded loses none of them', async () => {
  const { tensor, options } = await opened('small');
  const stop = new AbortController();
  let taken = 0;
  const decoder: PieceDecoder = {
    add: async (_piece, _bytes, { signal }) => {
      stop.abort(new Error('enough'));
      signal?.throwIfAborted();
      taken += 1;
    },
    complete: false,
    cosine: 0.5,
    reconstructingTensor: async () => undefined,
  };
  const state = new TensorState({ ...tensor, createDecoder: async () => decoder });
  for (const piece of [0, 1, 2]) state.add(piece, Uint8Array.of(1), options);
  await rejects(state.read({ signal: stop.signal }), Error, /enough/);
  await state.settle({});
  assert.is(taken, 3);
});

test('an abort leaves what is held to the next that asks', async () => {
  const { tensor, state, last } = await held();
  const reason = new Error('enough');
  const read = state.read({ signal: AbortSignal.abort(reason) });
  assert.is(await read.catch((error) => error), reason);
  assert.ok(Math.abs((await state.read({}))!.cosine - tensor.pieces[last - 1]!.cosine) < 1e-6);
});

test('a state that is closed gives back what it held', async () => {
  const { state, last } = await held();
  state.close();
  for (let piece = 0; piece < last; piece++) assert.not.ok(state.has(piece));
  assert.is(await state.read({}), undefined);
});

test.run();
