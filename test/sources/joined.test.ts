import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource } from '../../sources/bytes.js';
import { bytesPart, joinedSource, sourcePart } from '../../sources/joined.js';
import { TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { collect } from '../helpers/streams.js';

const test = suite('joined sources');

test('a long part whose stream ends early is an error, and is not asked without end', async () => {
  const part = bytesSource(new Uint8Array(2 ** 17));
  for (const given of [0, 1, 2 ** 16]) {
    let streams = 0;
    const short = {
      ...part,
      stream: () => {
        streams += 1;
        return part.stream({ end: streams === 1 ? given : 0 });
      },
    };
    const joined = joinedSource([sourcePart(short, 0, part.size), sourcePart(part, 0, 10)], 'all');
    await rejects(collect(joined.stream()), TruncatedError, /all.*131072.*/);
    assert.is(streams, 1);
  }
});

test('reads and streams of any range are those of the parts one after another, empty ones among them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.nat({ max: 3 }), fc.constant(70_000)), { maxLength: 6 }),
      fc.nat(),
      fc.nat(),
      async (lengths, a, b) => {
        let fill = 0;
        const parts = lengths.map((length) => new Uint8Array(length).map(() => (fill = (fill + 7) % 251)));
        const all = Buffer.concat(parts);
        const joined = joinedSource(
          parts.map((bytes, i) =>
            i % 2 ? bytesPart(bytes) : sourcePart(bytesSource(bytes), 0, bytes.length),
          ),
        );
        const [start, end] = [a % (all.length + 1), b % (all.length + 1)].sort((x, y) => x - y) as [
          number,
          number,
        ];
        assert.ok(all.subarray(start, end).equals(await joined.read(start, end - start)));
        assert.ok(
          all.subarray(start, end).equals(Buffer.concat(await collect(joined.stream({ start, end })))),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test.run();
