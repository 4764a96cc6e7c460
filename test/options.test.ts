import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ArgumentError } from '../src/errors.js';
import { exportedNames } from './helpers/exportedNames.js';
import { type PublicCall, publicCalls, type Substitution } from './helpers/publicCalls.js';
import { RECIPE_NAMES, type Recipe, recipeOf } from './helpers/publicRecipes.js';

const test = suite('options and arguments');

/** Objects that calls return: their methods are public, too. */
const OBJECTS = {
  RandomAccessSource: 'src/source.ts',
  SeekableSink: 'src/source.ts',
  Limiter: 'sources/limiter.ts',
  Cache: 'sources/cache/contract.ts',
  Codec: 'src/codecs/codec.ts',
};

/** Calls that are not tried, and why. */
const LEFT_OUT: readonly [RegExp, string][] = [
  [/^new \w+Error$/, 'programs do not make our errors'],
  [/^(cacheApiStore|opfsStore)$/, 'only browsers have what they keep entries in'],
  [/^(Cache|Extents|BlockTable|Budget)#/, 'methods for the package itself'],
  [/^Model#improving$/, 'for adapters of the package itself'],
  [/^WorkerPool#(run|runPrepared|openSession)$/, 'tasks of the package itself'],
  [/^(new )?(Embedded|LowRank|RandomProjection|Spectral)Decoder/, 'HoloTensorDecoder makes and calls them'],
  [/^Codec#(decompressInto|checkAndDecompressInto|contentSize)$/, 'parsers cut what they are given'],
  [/^\w+FromCode$/, 'a code comes from a file: FormatError'],
  [
    /^(parseBlockTable|blockLength|groupScaleCount|fragmentCount|expectedCosine)$/,
    'of a header that was checked',
  ],
  [/^(new QualityCurve|QualityCurve#predict)$/, 'arithmetic, and coefficients of files'],
];

/** Values that are not refused, and why. */
const ACCEPTED: readonly [RegExp, string][] = [
  [/: (stream|input|origin|source) = missing$/, 'a response without a body: SourceError'],
  [/emit\.(everyMs|qualityStep) = missing$/, 'one of the two is enough'],
  [/^isSafetensorsDType: /, 'the answer is no'],
  [/^byteLengthOf: elements = /, 'arithmetic: sizes are refused where they are used'],
  [/^new SeededRng: seed = (-1|18446744073709551616)$/, 'taken modulo 2^64'],
  [/^openModel: options\.http\.headers = /, 'checked when there is a URL'],
  [/^SeekableSink#write: bytes = doubles$/, 'sinks of ours take all bytes'],
  [/^new HoloTensorDecoder: header\.\w+/, 'a header is what a parser or an encoder has made'],
  [/^loadFeeds: options\.ort\.Tensor = callback$/, 'a class is a function'],
  [/^loadWeights: options\.network\.weights = emptyObject$/, 'a graph of another version: UnsupportedError'],
  [/^loadSessions: options\.sessionOptions = emptyObject$/, 'its type is that of the package'],
  [/^new HoloTensorDecoder: (budget|memory)/, 'for the package itself'],
  [/^HoloTensorDecoder#reconstructingTensor: isLast/, 'for the package itself'],
  [/^HoloTensorDecoder#add\w+: fragment\.(header|entry)/, 'a parser has made them'],
];

/** What returns a promise and takes no signal, and why. */
const WITHOUT_SIGNAL: readonly [RegExp, string][] = [
  [/^(streamSource|fromReadableStream)$/, 'it is its stream that is waited for'],
  [/^(\w+Writer|SeekableSink)#write$/, 'abort() of the sink ends it'],
  [/^SafetensorsWriter\.open$/, 'writes the header, which abort() ends'],
  [/^load(Decodings|Codec|Decoder|Kernels)$/, 'code that is loaded once, for all'],
  [
    /^(file(Sink|Source)|folder(Store|StagingStore|Storage)|modelFolderSink|removeLeftovers|openBulkStorage)$/,
    'some calls of the file system',
  ],
];

/** Numbers that each option or argument refuses beside NaN, by its name, or that with the name of its object. */
const OUT_OF_RANGE: Readonly<Record<string, readonly unknown[]>> = {
  ...entriesOf(
    [-1],
    'retries delay maxDelay idleTimeout startTimeout everyMs minInterval maxBuffered maxSize maxGap maxLength largestBlock',
  ),
  ...entriesOf(
    [-1],
    'limits.concurrency limits.tensors limits.headerBytes limits.totalBytes limits.manifestBytes limits.tensorBytes',
  ),
  ...entriesOf([-1, 1.5, 2 ** 53], 'start end offset length position byteStart byteEnd blockIndex index'),
  ...entriesOf(
    [-1, 1.5, 2 ** 53],
    'originalSize compressedSize uncompressedSize fileSize size byteLength rows cols count at',
  ),
  ...entriesOf([-1, 1.5, 2 ** 32], 'blockSize blockCount groupSize flags'),
  ...entriesOf([0, 1.5, 2 ** 16], 'fragments'),
  ...entriesOf([0, 1.5], 'rank rowsPerFragment places attempts concurrency'),
  priority: [0, 1.5, 2 ** 21],
  hostRate: [0],
  maxUnitBytes: [0, 1.5],
  grace: [-1],
  olderThan: [-1],
  stalled: [999],
  ...entriesOf([-0.1, 1.1], 'quality qualityStep minGain essentialRatio cosine'),
  ...entriesOf([-1n, 2n ** 64n, 1], 'seed checksum'),
  ...entriesOf([-1], 'limits.fragments limits.rank limits.ratio'),
  norm: [-1, Infinity],
  level: [0, 20, 1.5],
  workers: [-1, 1.5, 1025],
  scaleBits: [-1, 1.5, 2 ** 16],
  zeroPoint: [-129, 1.5, 128],
  totalFragments: [-1, 1.5, 2 ** 16],
  minimum: [-1, 1.5, 2 ** 16],
  total: [-1, 1.5],
  elements: [],
  weight: [-1, 2 ** 54],
  // What has passed already ends the wait at once.
  deadline: [],
};

const calls = await everyCall();

async function everyCall(): Promise<PublicCall[]> {
  const names = new Set(Object.values(await exportedNames()).flat());
  return publicCalls(OBJECTS).filter(({ name }) => {
    const made = /^(?:new )?(\w+)(?:\.|$)/.exec(name);
    // Of classes of which only the type is exported, methods are all that can be called.
    return made === null || names.has(made[1]!) || made[1]! in OBJECTS;
  });
}

function entriesOf(values: readonly unknown[], names: string): Record<string, readonly unknown[]> {
  return Object.fromEntries(names.split(' ').map((name) => [name, values]));
}

/** A call may have several recipes: `RandomAccessSource#read (file)`. */
function recipesOf(name: string): string[] {
  return RECIPE_NAMES.filter(
    (recipe) => recipe === name || (recipe.startsWith(`${name} (`) && !/\(\d\)$/.test(recipe)),
  );
}

function replaced(args: readonly unknown[], path: Substitution['path'], value: unknown): unknown[] {
  const [first, ...rest] = path as [number, ...string[]];
  const copy = [...args];
  copy[first] = rest.reduceRight<(inner: unknown) => unknown>(
    (set, key) => (inner) => ({
      ...(inner as object),
      [key]: set((inner as Record<string, unknown> | undefined)?.[key]),
    }),
    () => value,
  )(copy[first]);
  return copy;
}

type Outcome = { readonly error: unknown; readonly sync: boolean } | 'accepted' | 'hangs';

async function outcomeOf({ call }: Recipe, args: readonly unknown[]): Promise<Outcome> {
  let result: unknown;
  try {
    result = call(...(args as never[]));
  } catch (error) {
    return { error, sync: true };
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve('hangs'), 60_000);
  });
  const done = Promise.resolve(result).then(
    (): Outcome => 'accepted',
    (error: unknown): Outcome => ({ error, sync: false }),
  );
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}

/** True when it returns a promise. */
async function callRightly({ call, args }: Recipe): Promise<boolean> {
  let rejects = false;
  const noting: Recipe['call'] = (...given) => {
    const result = call(...given);
    rejects = result instanceof Promise;
    return result;
  };
  const right = await outcomeOf({ call: noting, args }, args);
  assert.is(right, 'accepted', String((right as { error?: unknown }).error));
  return rejects;
}

/** What is wrong with the way in which a call takes a wrong value; undefined if it refuses it. */
async function faultOf(
  recipe: Recipe,
  { path, value }: Pick<Substitution, 'path' | 'value'>,
  rejects: boolean,
) {
  const outcome = await outcomeOf(recipe, replaced(recipe.args, path, value));
  if (typeof outcome === 'string') return outcome;
  if (!(outcome.error instanceof ArgumentError)) return String(outcome.error).slice(0, 150);
  return rejects && outcome.sync ? 'throws in place of rejecting' : undefined;
}

/** Of the exemptions: which have been of use. */
const used = new Set<RegExp>();

function isExempt(list: readonly [RegExp, string][], name: string): boolean {
  const found = list.filter(([which]) => which.test(name));
  for (const [which] of found) used.add(which);
  return found.length > 0;
}

function rangeOf(label: string): readonly unknown[] {
  const parts = label.split('.');
  const range = OUT_OF_RANGE[parts.slice(-2).join('.')] ?? OUT_OF_RANGE[parts.at(-1)!];
  if (range === undefined) throw new Error(`no range of ${label} is known`);
  return [Number.NaN, ...range];
}

test('everything public has a recipe, and every recipe is of something public', () => {
  const names = calls.filter(({ refused }) => refused.length > 0).map(({ name }) => name);
  const missing = names.filter((name) => recipesOf(name).length === 0);
  assert.equal(
    missing.filter((name) => !isExempt(LEFT_OUT, name)),
    [],
  );
  const known = names.flatMap(recipesOf);
  assert.equal(
    RECIPE_NAMES.filter((name) => !known.includes(name)),
    [],
  );
});

for (const { name, refused, numbers } of calls) {
  for (const recipeName of recipesOf(name)) {
    test(`${recipeName}: what its types refuse, and numbers out of range, are ArgumentErrors`, async () => {
      const make = recipeOf(recipeName)!;
      const rejects = await callRightly(await make());
      const ranges = numbers.flatMap(({ path, label }) =>
        rangeOf(label).map((value) => ({ path, value, label: `${label} = ${String(value)}` })),
      );
      const faults: string[] = [];
      for (const wrong of [...refused, ...ranges]) {
        if (isExempt(ACCEPTED, `${name}: ${wrong.label}`)) continue;
        const fault = await faultOf(await make(), wrong, rejects);
        if (fault !== undefined) faults.push(`${wrong.label}: ${fault}`);
      }
      const takesSignal = refused.some(({ label }) => /(^|\.)signal = /.test(label));
      if (rejects && !takesSignal && !isExempt(WITHOUT_SIGNAL, name)) faults.push('takes no signal');
      assert.equal(faults, []);
    });
  }
}

test('every exemption is needed', () => {
  assert.equal(
    [...LEFT_OUT, ...ACCEPTED, ...WITHOUT_SIGNAL].filter(([which]) => !used.has(which)),
    [],
  );
});

test.run();
