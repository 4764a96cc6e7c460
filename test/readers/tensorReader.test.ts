import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctReader } from '../../readers/hctReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import type { TensorReader } from '../../readers/tensorReader.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import type { LimitsOption } from '../../src/checks/limits.js';
import { ArgumentError, FormatError, LimitError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { holoFile } from '../helpers/holoFiles.js';

/** What readers of both formats promise alike. */
const test = suite('tensor readers');

/** In files that are longer than what is read to open them. */
const shape = [370, 53];
const data = Float32Array.from({ length: 370 * 53 }, (_, i) => Math.sin(i) * 2 ** (i % 9));
const bytes = viewBytes(data);

async function hctFile(): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'F32', shape, blockSize: 500, name: 'weights' });
  await writer.write(bytes);
  await writer.close();
  return sink.bytes;
}

interface Format {
  readonly name: string;
  readonly file: Uint8Array;
  readonly open: (source: RandomAccessSource, options?: LimitsOption) => Promise<TensorReader>;
}

const formats: readonly Format[] = [
  { name: 'HCT', file: await hctFile(), open: (source, options) => HctReader.open(source, options) },
  {
    name: 'HoloTensor',
    file: holoFile('embedded', data, shape),
    open: (source, options) => HoloTensorReader.open(source, options),
  },
];

for (const { name, file, open } of formats) {
  test(`${name}: readAll gives the tensor, in a new array or in that of the caller`, async () => {
    const reader = await open(bytesSource(file));
    assert.equal([...reader.shape], shape);
    const all = await reader.readAll();
    assert.equal([all.dtype, [...all.shape], all.data], ['F32', shape, data]);
    const out = new Float32Array(data.length);
    const filled = await reader.readAll({ out });
    assert.is(filled.data, out);
    assert.equal(out, data);
    await rejects(
      reader.readAll({ out: new Float32Array(3) }),
      ArgumentError,
      /got a Float32Array of length 3/,
    );
    await rejects(
      reader.readAll({ out: new Float64Array(data.length) }),
      ArgumentError,
      /got a Float64Array/,
    );
    for (const [tensorBytes, fits] of [
      [bytes.length, true],
      [bytes.length - 1, false],
    ] as const) {
      const limited = await open(bytesSource(file), { limits: { tensorBytes } });
      if (fits) assert.equal((await limited.readAll()).data, data);
      else await rejects(limited.readAll(), LimitError, /limits\.tensorBytes/);
    }
  });

  test(`${name}: readInto fills an array with bytes of the tensor from anywhere on`, async () => {
    const reader = await open(bytesSource(file));
    const whole = new Uint8Array(bytes.length);
    await reader.readInto(whole);
    assert.equal(whole, bytes);
    for (const [start, end] of [
      [0, 0],
      [1, 2],
      [499, 501],
      [500, 1000],
      [1001, bytes.length],
      [bytes.length, bytes.length],
    ] as const) {
      // Memory around the array stays as it is.
      const memory = new Uint8Array(end - start + 6).fill(7);
      await reader.readInto(memory.subarray(3, -3), start);
      assert.equal(
        memory,
        Uint8Array.of(7, 7, 7, ...bytes.subarray(start, end), 7, 7, 7),
        `${start} to ${end}`,
      );
    }
    for (const [length, start] of [
      [2, bytes.length - 1],
      [1, -1],
      [1, 0.5],
      [1, Number.NaN],
    ] as const) {
      await rejects(
        reader.readInto(new Uint8Array(length), start),
        ArgumentError,
        /^Cannot (read these bytes of the tensor|use this value of byteStart): expected .*, got /,
      );
    }
  });

  test(`${name}: an abort reaches the source`, async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const source = bytesSource(file);
    const watching: RandomAccessSource = {
      ...source,
      read: (offset, length, options) => {
        signals.push(options?.signal);
        return source.read(offset, length, options);
      },
    };
    const reader = await open(watching);
    const { signal } = new AbortController();
    for (const read of [
      () => reader.readAll({ signal }),
      () => reader.readInto(new Uint8Array(9), bytes.length - 14, { signal }),
    ]) {
      signals.length = 0;
      await read();
      assert.ok(signals.length > 0 && signals.every((each) => each === signal));
    }
    const aborted = AbortSignal.abort(new Error('enough'));
    await rejects(reader.readAll({ signal: aborted }), Error, /enough/);
    await rejects(reader.readInto(new Uint8Array(9), 5, { signal: aborted }), Error, /enough/);
  });

  test(`${name}: close closes the source that was given`, async () => {
    let closed = 0;
    const reader = await open({
      ...bytesSource(file),
      close: async () => {
        closed += 1;
      },
    });
    assert.is(closed, 0);
    await reader.close();
    assert.is(closed, 1);
    await (await open(bytesSource(file))).close();
  });

  test(`${name}: a source that gives fewer bytes than asked is named as the fault`, async () => {
    const source = bytesSource(file);
    let short = false;
    const reader = await open({
      ...source,
      read: async (offset, length) => (await source.read(offset, length)).subarray(short ? 1 : 0),
    });
    short = true;
    await rejects(reader.readAll(), FormatError, /^Cannot use the bytes of the source: wrong length/);
    await rejects(
      open({ ...source, read: async (offset, length) => (await source.read(offset, length)).subarray(1) }),
      FormatError,
      /^Cannot use the bytes of the source: wrong length/,
    );
  });
}

test.run();
