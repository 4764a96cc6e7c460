import {
  findStagedTensor,
  memoryStagingStore,
  readStagedPiece,
  stageTensor,
} from '../../../models/file/stagingStore.js';
import { bytesSource } from '../../../sources/bytes.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { concatBytes } from '../../helpers/bytes.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { type Anatomy, Cutter, type Part, type Seed, type Target } from '../target.js';
import { readU32, u32, write } from './numbers.js';

/** Entries of a staging store: a record in JSON, and the pieces of a tensor. */

const FINGERPRINT = 'the tensor and its options';
const ENTRY = 'entry';

export async function stagingTargets(): Promise<Target[]> {
  const kernels = await loadKernels(['xxh3']);
  const seeds = [await seed('small', [3, 5]), await seed('more', [120, 0, 700, 33]), await seed('one', [0])];
  return [
    {
      name: 'staging',
      seeds,
      anatomy,
      ways: [
        {
          name: 'read',
          async read(input) {
            const store = { ...memoryStagingStore(), open: async () => bytesSource(input) };
            const staged = await findStagedTensor(store, ENTRY, FINGERPRINT, kernels, {});
            // Made from something else: the tensor is encoded again.
            if (staged === undefined) return { facts: 'not used' };
            const pieces: Uint8Array[] = [];
            for (let i = 0; i < staged.sizes.length; i++)
              pieces.push(await readStagedPiece(store, staged, i, kernels, {}));
            return { facts: JSON.stringify([staged.cosines, staged.sizes]), content: concatBytes(pieces) };
          },
        },
      ],
      memory: (input) => 2 ** 20 + 64 * input.length,
    },
  ];
}

const anatomy: Anatomy = {
  split(input) {
    const cutter = new Cutter(input);
    const length = readU32(cutter.take('start', 12), 0);
    cutter.take('record', length, { json: true });
    cutter.take('pieces', cutter.left);
    return cutter.parts;
  },
  join(parts, sizes) {
    const find = (kind: string): Uint8Array =>
      new Uint8Array(parts.find((part) => part.kind === kind)?.bytes ?? []);
    const pieces = find('pieces');
    const record = sizes ? sealedRecord(find('record'), pieces) : find('record');
    const hash = new Uint8Array(8);
    write(hash, 0, 8, xxh3(record));
    return concatBytes([u32(record.length), hash, record, pieces, ...rest(parts)]);
  },
};

function rest(parts: readonly Part[]): Uint8Array[] {
  return parts.filter(({ kind }) => kind === 'rest').map(({ bytes }) => bytes);
}

/** The hashes of the pieces, as far as its sizes make sense. */
function sealedRecord(record: Uint8Array, pieces: Uint8Array): Uint8Array {
  const value = JSON.parse(new TextDecoder().decode(record));
  let at = 0;
  value.hashes = value.sizes.map((size: number) => {
    const hash = xxh3(pieces.subarray(at, at + size));
    at += size;
    return hash.toString(16).padStart(16, '0');
  });
  return new TextEncoder().encode(JSON.stringify(value));
}

async function seed(name: string, sizes: readonly number[]): Promise<Seed> {
  const store = memoryStagingStore();
  const pieces = sizes.map((size, i) => pseudoRandomBytes(size, i));
  const cosines = sizes.slice(1).map((_, i) => i / sizes.length);
  await stageTensor(
    store,
    ENTRY,
    { fingerprint: FINGERPRINT, cosines },
    pieces,
    await loadKernels(['xxh3']),
    {},
  );
  const source = await store.open(ENTRY);
  return { name, bytes: await source!.read(0, source!.size!), sealed: true };
}
