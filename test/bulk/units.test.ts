import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failedJob, mayRecover } from '../../bulk/queue/failedJob.js';
import { hostOf } from '../../bulk/queue/hostRate.js';
import { planUnits, UNIT_BYTES, unitsOfShard } from '../../bulk/units.js';
import type { LocatedTensor } from '../../models/file/sourceFiles.js';
import { bytesSource } from '../../sources/bytes.js';
import { ChecksumError, FormatError, SinkError, SourceError } from '../../src/errors.js';

const test = suite('bulk: units, and what becomes of errors');

const FILES = [bytesSource(new Uint8Array(0)), bytesSource(new Uint8Array(0))];

/** Tensors of two files, one after another. */
const tensors = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 2 * UNIT_BYTES }), fc.integer({ min: 0, max: 1 })), {
    maxLength: 40,
  })
  .map((all) =>
    all
      .toSorted(([, a], [, b]) => a - b)
      .map(([byteLength, file], i): LocatedTensor => {
        return {
          name: String(i),
          dtype: 'U8',
          shape: [byteLength],
          offset: 0,
          byteLength,
          source: FILES[file]!,
        };
      }),
  );

test('units hold all tensors in order, each of one file, and more than one only up to the size', () => {
  fc.assert(
    fc.property(tensors, (all) => {
      const units = planUnits({ tensors: all });
      assert.equal(
        units.flatMap((unit) => unit.tensors.map(({ name }) => name)),
        all.map(({ name }) => name),
      );
      for (const [i, unit] of units.entries()) {
        assert.is(unit.number, i);
        assert.is(new Set(unit.tensors.map(({ source }) => source)).size, 1);
        assert.ok(unit.tensors.length === 1 || unit.byteLength <= UNIT_BYTES);
        const next = units[i + 1]?.tensors[0];
        const fits =
          next?.source === unit.tensors[0]!.source && unit.byteLength + next.byteLength <= UNIT_BYTES;
        assert.not(fits, 'no smaller than it must be');
      }
    }),
  );
});

test('shards have each unit once, and about the same bytes', () => {
  fc.assert(
    fc.property(tensors, fc.integer({ min: 1, max: 9 }), (all, count) => {
      const units = planUnits({ tensors: all });
      const shards = Array.from({ length: count }, (_, index) => unitsOfShard(units, { index, count }));
      assert.equal(
        shards.flatMap((shard) => shard.map(({ number }) => number)).sort((a, b) => a - b),
        units.map(({ number }) => number),
      );
      const loads = shards.map((shard) => shard.reduce((sum, { byteLength }) => sum + byteLength, 0));
      const largest = units.reduce((most, { byteLength }) => Math.max(most, byteLength), 0);
      const [least, most] = [Math.min(...loads), Math.max(...loads)];
      assert.ok(most - least <= largest + units.length * 2 ** 16);
    }),
  );
});

test('errors are kept with their fields, as JSON', () => {
  const error = new ChecksumError('Cannot read the block: wrong checksum', {
    name: 'w',
    offset: 7,
    expected: 2n ** 63n,
    actual: 1n,
  });
  const kept = failedJob(error);
  assert.equal(JSON.parse(JSON.stringify(kept)), kept);
  assert.is(kept.name, 'ChecksumError');
  assert.equal(kept.fields, { where: 'w, byte 7', offset: 7, expected: String(2n ** 63n), actual: '1' });
  assert.equal(failedJob('text').message, 'text');
});

test('what may succeed later is tried again, and what is wrong is not', () => {
  const busy = new SourceError('Cannot read the file: the server is busy', { retryable: true, status: 503 });
  for (const error of [busy, new SinkError('Cannot write the file: the disk is full'), new Error('a bug')])
    assert.ok(mayRecover(error));
  for (const error of [
    new SourceError('Cannot read the file: it does not exist', { status: 404 }),
    new FormatError('Cannot read the header: it is not JSON'),
  ])
    assert.not(mayRecover(error));
});

test('hosts of sources', () => {
  assert.is(hostOf('https://Example.org:8080/a?b'), 'example.org:8080');
  assert.is(hostOf('s3://bucket/key'), 'bucket');
  assert.is(hostOf('/a/file'), undefined);
});

test.run();
