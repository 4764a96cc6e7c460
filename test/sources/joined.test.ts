import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource } from '../../sources/bytes.js';
import { joinedSource, sourcePart } from '../../sources/joined.js';
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

test.run();
