import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LoadableTensor, sharedFile } from '../../../models/inputs/content.js';
import type { ChosenTensor } from '../../../models/plain/choosePieces.js';
import { boundOfParts, memoryForParts, tensorParts } from '../../../models/plain/tensorParts.js';
import { bytesSource } from '../../../sources/bytes.js';
import { Budget, limitsOf } from '../../../src/checks/limits.js';
import { eachBounded } from '../../../workers/eachBounded.js';

const PART_BYTES = 2 ** 24;

/** What is called by tensors that are decoded. */
type Decode = (isWhole: boolean) => Promise<void>;

/** A tensor of three parts and its one piece. */
function tensorOf(name: string, rangeStep: number | undefined, decode: Decode): ChosenTensor {
  const piece = { file: sharedFile(bytesSource(new Uint8Array(8))), offset: 0, length: 8, cosine: 1 };
  const byteLength = 2 * PART_BYTES + 4;
  const tensor: LoadableTensor = {
    ...{ name, dtype: 'F32', shape: [byteLength / 4], byteLength, weight: 1, pieces: [piece] },
    createDecoder: () => Promise.reject(new Error('its pieces are opened')),
    openPieces: async () => ({
      rangeStep,
      async decode(range, { out }) {
        await decode(range === undefined);
        return out!;
      },
    }),
  };
  return { tensor, pieces: [{ ...piece, tensor, piece: 0 }], cosine: 1 };
}

/** Decodes tensors as `decodeModelFile` does, without workers. @returns the bytes of each part */
async function decodeAll(tensors: readonly ChosenTensor[]): Promise<number[]> {
  const budget = new Budget(limitsOf());
  const memory = memoryForParts(tensors, undefined);
  const lengths: number[] = [];
  const parts = tensors.flatMap(tensorParts);
  await eachBounded(parts, boundOfParts(tensors, undefined), async (part, signal) => {
    const bytes = await part.decode({ budget, memory, pool: undefined, signal });
    lengths[parts.indexOf(part)] = bytes.length;
    memory.parts.give(bytes.buffer);
  });
  return lengths;
}

test('tensors of an encoding without ranges are decoded whole, as many at a time as their bytes allow', async () => {
  let [running, most] = [0, 0];
  const decode = async (isWhole: boolean) => {
    assert.ok(isWhole);
    most = Math.max(most, ++running);
    // Time for others to begin.
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    running -= 1;
  };
  const lengths = await decodeAll(['a', 'b', 'c'].map((name) => tensorOf(name, undefined, decode)));
  assert.equal(
    lengths,
    Array(3)
      .fill([2 * PART_BYTES + 4, 0, 0])
      .flat(),
  );
  assert.is(most, 1);
});

test('those of one with ranges in parts', async () => {
  const wholes: boolean[] = [];
  const decode = async (isWhole: boolean) => void wholes.push(isWhole);
  const lengths = await decodeAll([tensorOf('a', 2 ** 16, decode)]);
  assert.equal(lengths, [PART_BYTES, PART_BYTES, 4]);
  assert.equal(wholes, [false, false, false]);
});

test.run();
