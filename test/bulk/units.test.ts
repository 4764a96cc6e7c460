import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failedJob, mayRecover } from '../../bulk/queue/failedJob.js';
import { hostOf } from '../../bulk/queue/hostRate.js';
import { partsOf, partsOfShard, planUnits, UNIT_BYTES, type UnitPart } from '../../bulk/units.js';
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

const UNDIVIDED = { maxUnitBytes: Infinity, isDivisible: () => false };

test('units hold all tensors in order, each of one file, and more than one only up to the size', () => {
  fc.assert(
    fc.property(tensors, (all) => {
      const units = planUnits({ tensors: all }, UNDIVIDED);
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

/** How tensors are divided into ranges of at most about this size. */
const divided = fc
  .integer({ min: 2 ** 16, max: 2 * UNIT_BYTES })
  .map((maxUnitBytes) => ({ maxUnitBytes, isDivisible: () => true }));

test('ranges of a divided tensor are whole tiles, follow each other, and are at most a tile larger than they may be', () => {
  fc.assert(
    fc.property(tensors, divided, (all, choices) => {
      const units = planUnits({ tensors: all }, choices);
      assert.equal(
        units.flatMap((unit) => unit.tensors.map(({ name }) => name)),
        all.map(({ name }) => name),
      );
      for (const { ranges, byteLength, tensors } of units) {
        if (ranges === undefined) {
          assert.ok(byteLength <= choices.maxUnitBytes || byteLength <= MAX_TILE_BYTES);
          continue;
        }
        assert.is(tensors.length, 1);
        assert.ok(ranges.length > 1 && byteLength > choices.maxUnitBytes);
        const { tiles, byteLength: first } = ranges[0]!;
        const tileBytes = first / tiles;
        assert.ok(tileBytes >= 2 ** 12 && tileBytes <= MAX_TILE_BYTES);
        let end = 0;
        for (const [number, range] of ranges.entries()) {
          assert.equal([range.number, range.offset], [number, end]);
          assert.is(range.firstTile * tileBytes, range.offset);
          assert.is(Math.ceil(range.byteLength / tileBytes), range.tiles);
          assert.ok(range.byteLength <= choices.maxUnitBytes + MAX_TILE_BYTES);
          end += range.byteLength;
        }
        assert.is(end, byteLength);
      }
    }),
  );
});

/** Of U8. */
const MAX_TILE_BYTES = 2 ** 16;

test('shards have each part once, and about the same bytes', () => {
  fc.assert(
    fc.property(tensors, divided, fc.integer({ min: 1, max: 9 }), (all, choices, count) => {
      const units = partsOf(planUnits({ tensors: all }, choices));
      const shards = Array.from({ length: count }, (_, index) => partsOfShard(units, { index, count }));
      const name = ({ unit, range }: UnitPart) => `${unit.number}.${range?.number}`;
      assert.equal(shards.flatMap((shard) => shard.map(name)).sort(), units.map(name).sort());
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
