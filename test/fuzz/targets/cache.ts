import { openEntry, sealEntry } from '../../../sources/cache/entry.js';
import { FormatError } from '../../../src/errors.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { concatBytes } from '../../helpers/bytes.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import { Cutter, fieldsOf, type Seed, type Target } from '../target.js';
import { write } from './numbers.js';

/** Entries of a cache, which other processes may damage. One that is not whole is no entry. */

const KEY = 'https://example.org/w "1" 0-100';
const TRAILER_SIZE = 32;

export async function cacheTargets(): Promise<Target[]> {
  return [
    {
      name: 'cache-entry',
      seeds: [0, 1, 100].map(seed),
      anatomy: {
        split(input) {
          const cutter = new Cutter(input);
          cutter.take('payload', Math.max(0, input.length - KEY.length - TRAILER_SIZE));
          cutter.take('key', KEY.length);
          cutter.take('trailer', TRAILER_SIZE, { fields: fieldsOf(0, 8, 8, 8, 8) });
          return cutter.end();
        },
        join(parts, sizes) {
          const find = (kind: string) =>
            new Uint8Array(parts.find((part) => part.kind === kind)?.bytes ?? []);
          const [payload, key, trailer] = [find('payload'), find('key'), find('trailer')];
          if (sizes) write(trailer, 0, 8, key.length);
          if (sizes) write(trailer, 8, 8, payload.length);
          write(trailer, 16, 8, xxh3(payload));
          return concatBytes([payload, key, trailer]);
        },
      },
      ways: [
        {
          name: 'opened',
          read(input) {
            const payload = openEntry(KEY, input, xxh3);
            if (payload === undefined) throw new FormatError('Cannot use the bytes: they are no entry');
            return { content: new Uint8Array(payload) };
          },
        },
      ],
      memory: (input) => 2 ** 16 + 16 * input.length,
    },
  ];
}

function seed(length: number): Seed {
  return { name: `${length}-bytes`, bytes: sealEntry(KEY, pseudoRandomBytes(length), xxh3), sealed: true };
}
