import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../../models/openModel.js';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { httpSource } from '../../../sources/http/httpSource.js';
import { ArgumentError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { modelOf } from '../../helpers/models.js';
import { publicCalls } from '../../helpers/publicCalls.js';

const test = suite('misspelled options');

/** Names that are alike, of which no function takes one where an object for another function has the other. */
const ALIKE: Readonly<Record<string, string>> = {
  Tensor: 'tensor',
  cosine: 'cosines',
  dct2d: 'idct2d',
  encode: 'encoded',
  entry: 'retry',
  file: 'files',
  header: 'headers',
  inputName: 'inputNames',
  tensor: 'tensors',
  weight: 'weights',
  weightName: 'weightsName',
};

const model = await modelFileOf(modelOf([{ name: 'a', dtype: 'F32', shape: [8, 8] }]));

/** Options as programs without types give them. */
const untyped = (options: object) => options as never;

test('a letter more, fewer or other, or two exchanged, are refused with the name that is meant', async () => {
  const opened = await openModel(bytesSource(model));
  for (const name of ['qualty', 'qualitty', 'qualifty', 'qualiyt', 'Quality', 'uality', 'qualitys']) {
    const message = `Cannot use an option of this name: expected quality, got ${name}`;
    await rejects(opened.load(untyped({ [name]: 0.9 })), ArgumentError, new RegExp(`^${message}$`));
  }
  await opened.close();
});

test('in options within options, too', async () => {
  await rejects(
    openModel('x', untyped({ http: { header: {} } })),
    ArgumentError,
    /expected headers, got header/,
  );
  assert.throws(
    () => httpSource('http://localhost/', untyped({ retry: { retires: 2 } })),
    /expected retries, got retires/,
  );
  assert.throws(() => new HctWriter(memorySink(), untyped({ dtype: 'F32', shapes: [1] })), /expected shape/);
});

test('one object has the options of several functions, and properties of its own', async () => {
  const shared = {
    quality: 0.9,
    as: 'F32',
    partial: true,
    limits: {},
    workers: 0,
    cosine: 1,
    mine: true,
  } as const;
  const opened = await openModel(bytesSource(model), shared);
  assert.is((await opened.load(shared)).size, 1);
  await opened.close();
});

test('an option that is undefined may have any name', async () => {
  const opened = await openModel(bytesSource(model), untyped({ ofline: undefined }));
  await opened.close();
});

test('no other options have names that are alike: one would be refused for the other', () => {
  const paths = publicCalls({}).flatMap(({ refused, numbers }) =>
    [...refused, ...numbers].map(({ path }) => path),
  );
  const names = new Set(paths.flatMap((path) => path.slice(1).filter((part) => typeof part === 'string')));
  assert.ok(names.size > 150);
  const parts = (name: string) => [
    name,
    ...Array.from(name, (_, at) => name.slice(0, at) + name.slice(at + 1)),
  ];
  const sorted = [...names].filter((name) => name.length > 3).sort();
  const alike = sorted.flatMap((one, i) =>
    sorted
      .slice(i + 1)
      .filter((other) => parts(one).some((part) => parts(other).includes(part)))
      .map((other) => [one, other]),
  );
  assert.equal(Object.fromEntries(alike), ALIKE);
});

test.run();
