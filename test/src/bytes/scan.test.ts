import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Scan, ScanWindow, scanBytes } from '../../../src/bytes/scan.js';
import { pseudoRandomBytes } from '../../helpers/random.js';

const test = suite('scans');

/** Drives a scan of a file of zeros; what it reads. */
function readsOf(scan: Scan<unknown>): { reads: number; bytes: number } {
  const counts = { reads: 0, bytes: 0 };
  for (let step = scan.next(); !step.done; ) {
    const { length } = step.value;
    counts.reads += 1;
    counts.bytes += length;
    step = scan.next(new Uint8Array(length));
  }
  return counts;
}

/** Looks at 20 bytes at each of these places. */
function* visit(size: number, places: Iterable<number>): Scan<void> {
  const window = new ScanWindow(size);
  for (const place of places) yield* window.take(place, 20);
}

const every = (distance: number, size: number) =>
  Array.from({ length: Math.floor(size / distance) }, (_, i) => i * distance);

test('whatever the order, the bytes are those of the file', () => {
  const bytes = pseudoRandomBytes(400_000);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(399_999), fc.nat(100_000)), { maxLength: 20 }), (spans) => {
      const window = new ScanWindow(bytes.length);
      for (const [offset, length] of spans) {
        const end = Math.min(offset + length, bytes.length);
        const found = scanBytes(bytes, window.take(offset, end - offset));
        assert.ok(Buffer.from(found).equals(bytes.subarray(offset, end)));
      }
    }),
  );
});

test('small skips are read with what is around them: few reads, whatever their number', () => {
  const size = 2 ** 27;
  for (const distance of [1000, 300_000, 2 ** 20]) {
    const { reads, bytes } = readsOf(visit(size, every(distance, size)));
    // Windows of 4 MiB, and some smaller ones before.
    assert.ok(reads <= 1.1 * (size / 2 ** 22) + 8, `${reads} reads at ${distance}`);
    assert.ok(bytes <= size + reads * 20);
  }
});

test('long skips are not read: one small read at each place', () => {
  const size = 2 ** 32;
  const places = every(2 ** 25, size);
  const { reads, bytes } = readsOf(visit(size, places));
  assert.is(reads, places.length);
  assert.ok(bytes <= places.length * (2 ** 16 + 2 ** 12));
});

test('going back to before a long skip, and over it again, reads nothing again', () => {
  const far = 2 ** 25;
  assert.is(readsOf(visit(2 ** 26, [0, 50, far, 50, 100, far, far + 50])).reads, 2);
});

test.run();
