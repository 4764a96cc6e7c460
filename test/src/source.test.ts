import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  bytesSource,
  HctReader,
  HctWriter,
  HoloTensorReader,
  HoloTensorWriter,
  memorySink,
  openModel,
  readSafetensors,
  SafetensorsWriter,
  viewBytes,
} from '../../index.js';
import { ArgumentError } from '../../src/errors.js';
import { rejects, throws } from '../helpers/assertions.js';

const test = suite('what is passed in place of a source or a sink');

const PROMISE = Promise.resolve(bytesSource(new Uint8Array(8))) as never;

const READERS: Record<string, (source: never) => Promise<unknown>> = {
  'HctReader.open': (source) => HctReader.open(source),
  'HoloTensorReader.open': (source) => HoloTensorReader.open(source),
  readSafetensors: (source) => readSafetensors(source),
  openModel: (source) => openModel(source),
};

for (const [name, open] of Object.entries(READERS)) {
  test(`${name} refuses what is no source`, async () => {
    await rejects(
      open(PROMISE),
      ArgumentError,
      /a source, such as .* await fileSource\(path\), got a Promise$/,
    );
    await rejects(open(new Response('') as never), ArgumentError, /, got a Response$/);
    await rejects(open(undefined as never), ArgumentError, /expected a source/);
    if (name !== 'openModel') await rejects(open('fc1.hct' as never), ArgumentError, /, got fc1\.hct$/);
  });
}

test('openModel refuses a path, and says what reads it', async () => {
  await rejects(
    openModel('model.holo.safetensors'),
    ArgumentError,
    /it is no URL.*fileSource.*got model\.holo/,
  );
});

test('writers refuse what is no sink', async () => {
  const got = /a sink, such as .* await fileSink\(path\), got a Promise$/;
  throws(() => new HctWriter(PROMISE, { dtype: 'F32', shape: [2] }), ArgumentError, got);
  throws(() => new HoloTensorWriter(PROMISE), ArgumentError, got);
  await rejects(SafetensorsWriter.open(PROMISE, []), ArgumentError, got);
});

test('elements are not taken for bytes', async () => {
  const elements = Float32Array.of(1, 2);
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'F32', shape: [2] });
  await rejects(writer.write(elements as never), ArgumentError, /viewBytes\(array\), got a Float32Array$/);
  throws(() => bytesSource(elements as never), ArgumentError, /an ArrayBuffer, got a Float32Array$/);
  throws(() => bytesSource(Promise.resolve(elements.buffer) as never), ArgumentError, /, got a Promise$/);
  const bytes = viewBytes(elements);
  for (const same of [bytes, bytes.slice().buffer]) {
    assert.equal(await bytesSource(same).read(0, 8), bytes);
  }
});

test.run();
