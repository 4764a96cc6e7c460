import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseNpyHeader } from '../../formats.js';
import {
  bytesSource,
  HctReader,
  NpyReader,
  openModel,
  streamSource,
  toFloat32,
  viewBytes,
} from '../../index.js';
import { NpyParserStream } from '../../operators/index.js';
import {
  ArgumentError,
  FormatError,
  LimitError,
  TruncatedError,
  UnsupportedError,
} from '../../src/errors.js';
import { NpyParser } from '../../src/npy/stages.js';
import { rejects, throws } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { NPY_DTYPES, npyFile, npyOf } from '../helpers/npyFiles.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { chunked, collect, tick } from '../helpers/streams.js';

const test = suite('NumPy files');

const inputs = fileURLToPath(new URL('../fixtures/inputs/', import.meta.url));
const fixture = (name: string) => new Uint8Array(readFileSync(inputs + name));

/** The bytes of the elements, by every way in. */
async function allWays(file: Uint8Array<ArrayBuffer>): Promise<Record<string, Uint8Array>> {
  const reader = await NpyReader.open(file);
  const whole = await reader.readAll();
  const { constructor: Elements } = whole.data as unknown as { constructor: new (n: number) => Float32Array };
  const out = new Elements(whole.data.length);
  assert.is((await reader.readAll({ out })).data, out);
  const unsized = await NpyReader.open(streamSource(chunked(file, 1000)));
  const model = await openModel(file);
  const ways: Record<string, Uint8Array> = {
    readAll: viewBytes(whole.data),
    'readAll({ out })': viewBytes(out),
    stream: concatBytes(await collect(reader.stream())),
    'of a stream': viewBytes((await unsized.readAll()).data),
    model: viewBytes((await model.tensor('arr_0', { as: 'source' })).data as Uint8Array),
  };
  for (const size of file.length < 5000 ? [1, 3, 64, 1e6] : [999, 1e6]) {
    ways[`chunks of ${size}`] = concatBytes(
      (await collect(chunked(file, size).pipeThrough(new NpyParserStream()))).flatMap((part) =>
        part.kind === 'data' ? [part.bytes] : [],
      ),
    );
  }
  await model.close();
  return ways;
}

async function assertElements(
  file: Uint8Array<ArrayBuffer>,
  expected: Uint8Array,
  name: string,
): Promise<void> {
  for (const [way, bytes] of Object.entries(await allWays(file)))
    assert.equal(bytes, expected, `${name}: ${way}`);
}

test('files that NumPy wrote: values 0, 1, 2, … in row-major order', async () => {
  const files = readdirSync(`${inputs}npy`).map((name) => `npy/${name}`);
  assert.is(files.length, 15);
  for (const name of [...files, 'w_f4.npy', 'w_be.npy', 'w_fortran.npy']) {
    const file = fixture(name);
    const reader = await NpyReader.open(file);
    const { dtype, shape, data } = await reader.readAll();
    const [, type] = /(?:npy\/|w_)?([a-z]\d)?[^/]*$/.exec(name)!;
    if (type !== undefined && type in NPY_DTYPES) assert.is(dtype, NPY_DTYPES[type]![0], name);
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    const expected = Array.from({ length: count }, (_, i) => (dtype === 'BOOL' ? i % 2 : i));
    const values =
      dtype === 'C64'
        ? Array.from(new Float32Array(data.buffer, data.byteOffset)).filter((_, i) => i % 2 === 0)
        : Array.from(toFloat32({ dtype, shape, data }));
    assert.equal(values, expected, name);
    await assertElements(file, viewBytes(data), name);
  }
  const zero = await NpyReader.open(fixture('w_f2_0d.npy'));
  assert.equal([zero.dtype, zero.shape], ['F16', []]);
  assert.equal(toFloat32((await zero.readAll()) as never), Float32Array.of(1.5));
});

test('all dtypes, byte orders, orders of elements and versions', async () => {
  const shapes = [
    [],
    [0],
    [3],
    [2, 3],
    [3, 1, 4],
    [1, 5],
    [5, 1],
    [2, 0, 3],
    [7, 11, 5],
    [2, 3, 4, 5],
    [190, 97],
  ];
  let number = 0;
  for (const [type, [dtype, size]] of Object.entries(NPY_DTYPES)) {
    for (const shape of shapes) {
      const count = shape.reduce((product, dimension) => product * dimension, 1);
      const elements = pseudoRandomBytes(count * size);
      for (const bigEndian of size === 1 ? [false] : [false, true]) {
        for (const fortran of [false, true]) {
          const version = [1 + (number++ % 3), 0] as const;
          const file = npyOf(type, shape, elements, { bigEndian, fortran, version });
          const name = `${type} ${shape} ${bigEndian} ${fortran} ${version}`;
          const header = parseNpyHeader(file);
          assert.equal(header, {
            ...{ dtype, shape, byteLength: elements.length, bigEndian, fortranOrder: fortran },
            dataStart: file.length - elements.length,
          });
          if (number % 7 === 0) await assertElements(file, elements, name);
          else assert.equal(viewBytes((await (await NpyReader.open(file)).readAll()).data), elements, name);
        }
      }
    }
  }
});

test('rows, of either order', async () => {
  const elements = pseudoRandomBytes(6 * 5 * 4);
  for (const fortran of [false, true]) {
    for (const bigEndian of [false, true]) {
      const file = npyOf('f4', [6, 5], elements, { bigEndian, fortran });
      const reader = await NpyReader.open(file);
      const { shape, data } = await reader.readRows(2, 5);
      assert.equal(shape, [3, 5]);
      assert.equal(viewBytes(data), elements.subarray(40, 100));
      const model = await openModel(file);
      assert.equal(viewBytes((await model.rows('arr_0', 2, 5)).data), elements.subarray(40, 100));
      assert.is(model.format, 'npy');
      await rejects(reader.readRows(2, 7), ArgumentError, /within 0 to 6/);
    }
  }
  await rejects((await NpyReader.open(fixture('w_f2_0d.npy'))).readRows(0, 1), ArgumentError, /rank is 0/);
});

test('a model: numbers as asked for', async () => {
  const model = await openModel(fixture('npy/f8-be-fortran.npy'));
  const { data, shape } = await model.tensor('arr_0');
  assert.equal(
    data,
    Float32Array.from({ length: 24 }, (_, i) => i),
  );
  assert.equal(shape, [3, 4, 2]);
  await model.close();
});

test('the memory of the caller is neither copied nor changed', async () => {
  const elements = pseudoRandomBytes(64);
  const little = npyOf('f4', [16], elements);
  // As NumPy writes it, elements begin at a multiple of their size.
  const file = concatBytes([little.subarray(0, little.length - 64), new Uint8Array(0)]);
  const aligned = new Uint8Array(4 * Math.ceil(file.length / 4) + 64).subarray((4 - (file.length % 4)) % 4);
  aligned.set(little);
  const { data } = await (await NpyReader.open(bytesSource(aligned.subarray(0, little.length)))).readAll();
  assert.is(data.buffer, aligned.buffer);
  const big = npyOf('f4', [16], elements, { bigEndian: true });
  const before = big.slice();
  await allWays(big);
  assert.equal(big, before);
});

test('headers as Python could write them', async () => {
  const same = [
    `{"descr": "<f4", "fortran_order": False, "shape": (2,)}`,
    `{'shape': (2,), 'fortran_order': False, 'descr': '<f4'}`,
    `{  'shape'  :(  2L ,  ) ,\n'fortran_order':False,'descr':'=f4',}   `,
    `\t{'descr': 'f4', 'fortran_order': True, 'shape': (2,), }`,
    `{'descr': '|f4', 'fortran_order': False, 'shape': (2,), }`,
  ];
  for (const text of same) {
    for (const version of [
      [1, 0],
      [2, 0],
      [3, 0],
    ] as const) {
      const { dtype, shape, bigEndian } = parseNpyHeader(npyFile({ text, version }));
      assert.equal({ dtype, shape, bigEndian }, { dtype: 'F32', shape: [2], bigEndian: false }, text);
    }
  }
  for (const [shape, expected] of [
    ['()', []],
    ['( )', []],
    ['(1,2,3)', [1, 2, 3]],
    ['(0, 4)', [0, 4]],
  ] as const) {
    assert.equal(parseNpyHeader(npyFile({ shape })).shape, expected);
  }
});

test('what follows the array is ignored, as NumPy does', async () => {
  const file = npyOf('f4', [2], pseudoRandomBytes(8));
  const longer = concatBytes([file, Uint8Array.of(1, 2, 3)]);
  for (const bytes of Object.values(await allWays(longer))) assert.equal(bytes, file.subarray(-8));
});

test('malformed headers are refused', async () => {
  const texts = [
    '',
    '{}',
    '[]',
    'descr',
    `{'descr': '<f4', 'fortran_order': False}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}`,
    `{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} + {}`,
    `{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}`,
    `{'descr': '<f4", 'fortran_order': False, 'shape': (2,)}`,
    `{'descr': (2,), 'fortran_order': False, 'shape': (2,)}`,
    `{'descr': '<f4', 'fortran_order': (2,), 'shape': (2,)}`,
    `{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}`,
    ...[
      '(2)',
      '(-2,)',
      '(2.0,)',
      '(1e3,)',
      '(2,,3)',
      '(,)',
      '(02,)',
      '(2 3,)',
      '[2]',
      "'2'",
      '(None,)',
      '(0x2,)',
    ].map((shape) => `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}}`),
  ];
  for (const text of texts) {
    const file = npyFile({ text });
    throws(() => parseNpyHeader(file), FormatError, /^Cannot read the NumPy header: it is malformed: got/);
    await rejects(NpyReader.open(file), FormatError, /malformed/);
    const parser = new NpyParser();
    throws(() => [...parser.push(file), ...parser.flush()], FormatError, /malformed/);
  }
  // Text from a file acts on no terminal.
  const error = throws(() => parseNpyHeader(npyFile({ text: '\u001b[2J' })), FormatError);
  assert.not.match(error.message, '\u001b');
});

test('elements that are not numbers, other versions and other files are refused by their kind', async () => {
  const unsupported = [
    "'<U5'",
    "'|S3'",
    "'|O'",
    "'<M8[ns]'",
    "'<f16'",
    "'<c16'",
    "'|V2'",
    "'<f3'",
    "'<F4'",
    "''",
    "[('a', '<f4'), ('b', '<i4')]",
  ];
  for (const descr of unsupported) {
    const error = await rejects(
      NpyReader.open(npyFile({ descr })),
      UnsupportedError,
      /not numbers of a known dtype/,
    );
    assert.match(error.message, descr.slice(1, 4));
  }
  for (const version of [
    [0, 0],
    [1, 1],
    [4, 0],
    [255, 255],
  ] as const) {
    throws(() => parseNpyHeader(npyFile({ version })), UnsupportedError, /unknown version: .* got \d+\.\d+$/);
  }
  await rejects(NpyReader.open(fixture('w.npz')), FormatError, /this is a zip archive/);
  await rejects(NpyReader.open(fixture('lfs-pointer.safetensors')), FormatError, /Git LFS/);
  throws(() => parseNpyHeader(fixture('page.safetensors')), FormatError, /a web page/);
  throws(() => parseNpyHeader(new Uint8Array(100)), FormatError, /wrong magic/);
  await rejects(HctReader.open(fixture('w_f4.npy')), FormatError, /a NumPy file/);
});

test('sizes are checked before anything is allocated', async () => {
  await rejects(NpyReader.open(npyFile({ shape: `(${'1,'.repeat(65)})` })), LimitError, /limits.rank/);
  throws(() => parseNpyHeader(npyFile({ shape: '(9007199254740993,)' })), FormatError, /malformed/);
  throws(() => parseNpyHeader(npyFile({ shape: '(4194304, 4194304, 4194304)' })), FormatError, /too large/);
  const long = npyFile({ version: [2, 0] });
  new DataView(long.buffer).setUint32(8, 2 ** 31, true);
  throws(() => parseNpyHeader(long), LimitError, /limits.headerBytes/);
  new DataView(long.buffer).setUint32(8, 2 ** 20, true);
  throws(() => parseNpyHeader(long), UnsupportedError, /too long for an array of numbers/);
  await rejects(
    NpyReader.open(npyFile({ shape: '(2, 65536)' })),
    TruncatedError,
    /shorter than its header says/,
  );
  const open = await NpyReader.open(npyOf('f4', [2, 2], new Uint8Array(16)), { limits: { tensorBytes: 8 } });
  await rejects(open.readAll(), LimitError, /limits.tensorBytes/);
  await rejects(open.readRows(0, 2), LimitError, /limits.tensorBytes/);
});

test('a shape of gigabytes costs a stream nothing but the bytes that come', async () => {
  for (const fortran of ['False', 'True']) {
    const file = npyFile({ fortran, shape: '(32768, 32768)' });
    const before = process.memoryUsage().arrayBuffers;
    const parser = new NpyParser();
    const parts = [...parser.push(file)];
    assert.equal(
      parts.map(({ kind }) => kind),
      ['start'],
    );
    throws(() => [...parser.flush()], TruncatedError, /ends within its elements/);
    const reader = await NpyReader.open(streamSource([file]));
    await rejects(reader.readAll(), TruncatedError);
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 27);
  }
  throws(
    () => [
      ...new NpyParser({ limits: { tensorBytes: 2 ** 20 } }).push(
        npyFile({ fortran: 'True', shape: '(1024, 1024)' }),
      ),
    ],
    LimitError,
    /limits.tensorBytes/,
  );
});

test('files that are cut short, at every byte', async () => {
  const file = npyOf('f4', [2, 3], pseudoRandomBytes(24), { fortran: true });
  for (let length = 0; length < file.length; length++) {
    const cut = file.slice(0, length);
    await rejects(NpyReader.open(cut), TruncatedError);
    const parser = new NpyParser();
    throws(() => [...parser.push(cut), ...parser.flush()], TruncatedError);
    if (length < file.length - 24) throws(() => parseNpyHeader(cut), TruncatedError);
  }
});

test('an output array of another kind is refused', async () => {
  const reader = await NpyReader.open(fixture('w_f4.npy'));
  await rejects(reader.readAll({ out: new Float64Array(6) }), ArgumentError, /a Float32Array of length 6/);
  await rejects(reader.readAll({ out: new Float32Array(5) }), ArgumentError, /a Float32Array of length 6/);
});

test('cancelling and aborting reach the source', async () => {
  for (const fortran of [false, true]) {
    const file = npyOf('f4', [200, 200], pseudoRandomBytes(160_000), { fortran });
    let cancelled: unknown;
    let waits = () => {};
    const waiting = new Promise<void>((resolve) => {
      waits = resolve;
    });
    const stalling = () => ({
      ...bytesSource(file),
      stream: () =>
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(file.subarray(file.length - 160_000, -80_000)),
          // The first chunk has been taken.
          pull: () => waits(),
          cancel: (reason) => {
            cancelled = reason;
          },
        }),
    });
    const stream = (await NpyReader.open(stalling())).stream();
    const stalled = stream.getReader();
    const reading = fortran ? stalled.read() : stalled.read().then(() => stalled.read());
    await waiting;
    await stalled.cancel('enough');
    assert.is(cancelled, 'enough');
    await reading;
    const abort = new AbortController();
    const out = new Float32Array(40_000);
    const source = streamSource(
      (async function* () {
        yield file.subarray(0, 100_000);
        await new Promise(() => {});
      })(),
    );
    const all = (await NpyReader.open(source)).readAll({ out, signal: abort.signal });
    await tick();
    abort.abort(new Error('stop'));
    await rejects(all, Error, /stop/);
  }
});

test.run();
