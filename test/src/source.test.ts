import { suite } from 'uvu';
import { bytesSource, HctWriter, HoloTensorWriter, SafetensorsWriter } from '../../index.js';
import { ArgumentError } from '../../src/errors.js';
import { rejects, throws } from '../helpers/assertions.js';

const test = suite('what is passed in place of a source or a sink');

const PROMISE = Promise.resolve(bytesSource(new Uint8Array(8))) as never;

test('writers refuse what is no sink', async () => {
  const got = /a sink, such as .* await fileSink\(path\), got a Promise$/;
  throws(() => new HctWriter(PROMISE, { dtype: 'F32', shape: [2] }), ArgumentError, got);
  throws(() => new HoloTensorWriter(PROMISE), ArgumentError, got);
  await rejects(SafetensorsWriter.open(PROMISE, []), ArgumentError, got);
});

test.run();
