import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileSource } from '../../node.js';
import { readSafetensorsHeader } from '../../readers/safetensors.js';
import { memorySink, SafetensorsWriter, streamSink } from '../../sinks/index.js';
import { bytesSource } from '../../sources/index.js';
import { ArgumentError, TruncatedError } from '../../src/errors.js';
import { rejects } from '../helpers/assertions.js';
import { checkSafetensorsWriter } from '../helpers/checks/safetensorsFile.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked, collect } from '../helpers/streams.js';
import { DIGITS_PATH, TRAINED_FILES } from '../helpers/trained.js';

const test = suite('SafetensorsWriter');

test('whole files, streamed tensor by tensor in reverse order, come out byte for byte', async () => {
  await using source = await fileSource(DIGITS_PATH);
  await checkSafetensorsWriter('digits', source, TRAINED_FILES.digits);
  await checkSafetensorsWriter('layers', bytesSource(TRAINED_FILES.layers), TRAINED_FILES.layers);
});

const declarations = [
  { name: 'a', dtype: 'F32', shape: [10, 10] },
  { name: 'none', dtype: 'F32', shape: [0] },
  { name: 'b', dtype: 'I64', shape: [] },
] as const;
const a = pseudoRandomBytes(400);
const b = pseudoRandomBytes(8, 2);

test('pieces of several tensors may be mixed', async () => {
  const sink = memorySink();
  const writer = await SafetensorsWriter.open(sink, declarations);
  const piping = chunked(a, 13).pipeTo(writer.writable('a'));
  await Promise.all([writer.write('b', b.subarray(0, 3)), writer.write('b', b.subarray(3)), piping]);
  await writer.close();
  const source = bytesSource(sink.bytes);
  const header = await readSafetensorsHeader(source);
  assert.equal(header, writer.header);
  const [first, , last] = header.tensors;
  assert.equal(await source.read(first!.offset, 400), a);
  assert.equal(await source.read(last!.offset, 8), b);
});

test('what does not fit, is unknown or incomplete is refused', async () => {
  const sink = memorySink();
  const writer = await SafetensorsWriter.open(sink, declarations);
  await rejects(writer.write('c', b), ArgumentError, /no such tensor.*c/);
  await rejects(writer.write('b', a), ArgumentError, /\(b\): expected at most 8, got 400/);
  await writer.write('b', b);
  await rejects(writer.write('b', b.subarray(0, 1)), ArgumentError, /expected at most 0/);
  await writer.write('a', a.subarray(0, 399));
  await rejects(writer.close(), ArgumentError, /not complete.*a.*1 bytes missing/);
  await writer.write('a', a.subarray(399));
  await writer.close();
  const aborted = memorySink();
  await (await SafetensorsWriter.open(aborted, declarations)).abort();
  assert.is(aborted.bytes.length, 0);
});

test('in order it writes to a stream', async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const chunks = collect(readable);
  const writer = await SafetensorsWriter.open(streamSink(writable), declarations);
  await rejects(writer.write('b', b.subarray(0, 1)), ArgumentError, /in order/);
  await writer.abort();
  await chunks.catch(() => {});
  const again = new TransformStream<Uint8Array, Uint8Array>();
  const collected = collect(again.readable);
  const ordered = await SafetensorsWriter.open(streamSink(again.writable), declarations);
  await ordered.write('a', a);
  await ordered.write('b', b);
  await ordered.close();
  const all = new Uint8Array(Buffer.concat(await collected));
  assert.equal(all.slice(-408, -8), a);
  const short = bytesSource(all.subarray(0, -1));
  await rejects(
    readSafetensorsHeader(short),
    TruncatedError,
    /^Cannot read the safetensors file: it is too short/,
  );
});

test.run();
