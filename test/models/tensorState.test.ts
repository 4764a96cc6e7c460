import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModelFile } from '../../models/inputs/modelFile.js';
import { TensorState } from '../../models/tensorState.js';
import { bytesSource } from '../../sources/bytes.js';
import { Budget, limitsOf } from '../../src/checks/limits.js';
import { ChecksumError } from '../../src/errors.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { throws } from '../helpers/assertions.js';
import { encodeToModelFile } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { trainedLike } from '../helpers/trained.js';

const test = suite('states of tensors');

const SHAPE = [64, 64];
const VALUES = trainedLike(SHAPE, 1);
const FILE = await encodeToModelFile({
  'model.safetensors': modelOf([{ name: 'w', dtype: 'F32', shape: SHAPE }], undefined, () =>
    viewBytes(VALUES).slice(),
  ),
});

async function opened() {
  const { tensors } = await openModelFile(bytesSource(FILE), {});
  const tensor = tensors[0]!;
  const state = new TensorState(tensor);
  const options = { pool: undefined, budget: new Budget(limitsOf()), isOwn: false };
  const bytesOf = (piece: number) => {
    const { offset, length } = tensor.pieces[piece]!;
    return FILE.slice(offset, offset + length);
  };
  return {
    tensor,
    state,
    bytesOf,
    add: (piece: number) => state.add(piece, bytesOf(piece), options),
    options,
  };
}

test('fragments are decoded at once where nothing has to wait: a promise for each would cost more', async () => {
  const { tensor, state, add } = await opened();
  await add(0);
  // The first one is compressed, and loads its codec.
  await add(1);
  for (let piece = 2; piece < tensor.pieces.length; piece++) assert.is(add(piece), undefined, `${piece}`);
  assert.ok(state.complete);
  assert.equal((await state.read({}))?.data, VALUES);
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

test.run();
