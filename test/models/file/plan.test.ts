import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readModelFile } from '../../../models/file/modelFile.js';
import { packHeader, unpackHeader } from '../../../models/file/packedHeader.js';
import { parseModelPlan } from '../../../models/file/parsePlan.js';
import { MODEL_FILE_VERSION, type ModelPlan, PLAN_KEY, VERSION_KEY } from '../../../models/file/plan.js';
import { serializeModelPlan } from '../../../models/file/serializePlan.js';
import { bytesSource } from '../../../sources/bytes.js';
import { varint } from '../../../src/bytes/varint.js';
import { limitsOf } from '../../../src/checks/limits.js';
import {
  ArgumentError,
  FormatError,
  HolostreamError,
  LimitError,
  UnsupportedError,
} from '../../../src/errors.js';
import { lz4Compress } from '../../../src/kernels/lz4/portable/encode.js';
import { SAFETENSORS_DTYPES } from '../../../src/safetensors/header.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { serializeSafetensorsHeader } from '../../../src/safetensors/serialize.js';
import { rejects, throws } from '../../helpers/assertions.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { planBytes, planText, withPlan, withPlanText } from '../../helpers/modelPlans.js';
import { modelOf } from '../../helpers/models.js';

const test = suite('plans of model files');

const LIMITS = limitsOf();

const MODEL = modelOf(
  [
    { name: 'cut', dtype: 'F32', shape: [64, 64] },
    { name: 'plain', dtype: 'I8', shape: [3] },
  ],
  new Map([['format', 'pt']]),
);

function metadataOf(plan: string): Map<string, string> {
  return new Map([
    [VERSION_KEY, String(MODEL_FILE_VERSION)],
    [PLAN_KEY, plan],
  ]);
}

const hashes = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((hash) => hash.toString(16).padStart(16, '0'));
const cosines = fc.nat(1e7).map((below) => (1e7 - below) / 1e7);
const unicode = fc.string({ unit: 'binary' });

/** As parsing makes objects. */
const PLAIN = { noNullPrototype: true } as const;

/** Whatever a plan can say. Its files need not have its tensors. */
const plans: fc.Arbitrary<ModelPlan> = fc
  .record(
    {
      files: fc.array(
        fc.oneof(
          fc.record({ name: unicode, header: fc.json() }, PLAIN),
          fc.record({ name: unicode, header: fc.json(), bare: fc.constant(true) }, PLAIN),
        ),
        { minLength: 1 },
      ),
      index: fc.option(unicode, { nil: undefined }),
      tensors: fc.array(
        fc.record(
          {
            weight: fc
              .float({ min: 0, max: 2 ** 53, noNaN: true })
              .map((weight) => Math.min(2 ** 53, Number(Math.abs(weight).toPrecision(6)))),
            hash: hashes,
            encoded: fc.option(
              fc.array(fc.tuple(fc.nat(2 ** 45), cosines), { minLength: 1 }).map((fragments) => ({
                sizes: [120, ...fragments.map(([size]) => size)],
                cosines: fragments.map(([, cosine]) => cosine),
              })),
              { nil: undefined },
            ),
          },
          PLAIN,
        ),
      ),
    },
    PLAIN,
  )
  .chain((plan) => {
    const pieces = plan.tensors.flatMap(({ encoded }, i) =>
      Array<number>(encoded?.sizes.length ?? 1).fill(i),
    );
    const orders = fc.shuffledSubarray(pieces, { minLength: pieces.length });
    return orders.map((order) => ({ ...plan, order }));
  });

test('what is written is read', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const text = serializeModelPlan(plan);
      assert.equal(parseModelPlan(metadataOf(text)), plan);
      // Bytes are the same again: what decodes and encodes a file gives the same file.
      assert.is(serializeModelPlan(parseModelPlan(metadataOf(text))), text);
    }),
  );
});

test('a plan that is read and written again is the same, whatever its weights', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 53, noNaN: true }), (weight) => {
      const tensors = [{ weight, hash: '0'.repeat(16) }];
      const text = serializeModelPlan({ files: [{ name: 'm', header: '{}' }], tensors, order: [0] });
      const read = parseModelPlan(metadataOf(text));
      assert.ok(Math.abs(read.tensors[0]!.weight - weight) <= 1e-5 * weight + 2e-45);
      assert.is(serializeModelPlan(read), text);
    }),
  );
});

test('cosines are never better than they are', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (cosine) => {
      const encoded = { sizes: [120, 5], cosines: [cosine] };
      const tensors = [{ weight: 1, hash: '0'.repeat(16), encoded }];
      const plan = { files: [{ name: 'm', header: '{}' }], tensors, order: [0, 0] };
      const [read] = parseModelPlan(metadataOf(serializeModelPlan(plan))).tensors[0]!.encoded!.cosines;
      assert.ok(read! <= cosine + 1e-12 && read! > cosine - 1.01e-7);
    }),
  );
});

test('headers are packed without loss, whoever wrote them', () => {
  const shape = fc.array(fc.nat(300), { maxLength: 5 });
  const declared = fc.uniqueArray(
    fc.record({
      name: unicode,
      dtype: fc.constantFrom(...SAFETENSORS_DTYPES.filter((dtype) => !/^F[46]/.test(dtype))),
      shape,
    }),
    { selector: ({ name }) => name },
  );
  fc.assert(
    fc.property(declared, (tensors) => {
      const { bytes } = serializeSafetensorsHeader(tensors, new Map([['format', 'pt']]));
      const header = new TextDecoder().decode(bytes.subarray(8));
      const packed = packHeader(header);
      assert.is(unpackHeader(packed, LIMITS), header);
      assert.ok(packed.length <= header.length - 40 * tensors.length);
    }),
  );
  // Texts that look like entries, or nearly so.
  const piece = fc.oneof(
    fc.constantFrom(
      '{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}',
      '{"dtype":"F32","shape":[2,3],"data_offsets":[24,48]}',
      '{"dtype":"F32","shape":[2,3],"data_offsets":[024,48]}',
      '{"dtype":"F4","shape":[1],"data_offsets":[0,24]}',
      '{"dtype":"F32","shape":[2,],"data_offsets":[0,0]}',
      '{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,24]}',
      '{"dtype":"NO","shape":[],"data_offsets":[0,4]}',
      '{"dtype":"F32","shape":[],"data_offsets":[0, 4]}',
      '{"dtype":"F32","shape":[],"data_offsets":[48,52]}',
    ),
    fc.json(),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join('');
      assert.is(unpackHeader(packHeader(text), LIMITS), text);
    }),
  );
  throws(() => packHeader('{"\u0001F32,2;":1}'), ArgumentError, /control character/);
});

test('a header may not become longer than headers are', () => {
  const { bytes } = serializeSafetensorsHeader(
    Array.from({ length: 100 }, (_, i) => ({ name: `w${i}`, dtype: 'F32', shape: [2] })),
  );
  const header = new TextDecoder().decode(bytes.subarray(8));
  const packed = packHeader(header);
  const limits = limitsOf({ limits: { headerBytes: header.length } });
  assert.is(unpackHeader(packed, limits), header);
  const fewer = limitsOf({ limits: { headerBytes: header.length - 1 } });
  throws(() => unpackHeader(packed, fewer), LimitError, /limits\.headerBytes/);
});

test('a small plan does not become much: its headers together, dimensions, pieces and files are bounded first', async () => {
  const file = await modelFileOf(MODEL);
  const text = (value: string) => {
    const bytes = new TextEncoder().encode(value);
    return [Uint8Array.from(varint(bytes.length)), bytes];
  };
  const one = (header: string) => [Uint8Array.of(1), ...text('m'), ...text(header), Uint8Array.of(0, 0)];
  const refusing = async (
    parts: readonly Uint8Array[],
    kind: new (what: string) => Error,
    message: RegExp,
  ) => {
    const hostile = withPlanText(file, planText(Buffer.concat(parts)));
    assert.ok(hostile.length < 2 ** 16);
    await rejects(readModelFile(bytesSource(hostile), { limits: { headerBytes: 4e6 } }), kind, message);
  };
  await refusing(one('\u0001U8,;'.repeat(5e5)), LimitError, /headers are too long.*limits\.headerBytes/);
  // Each for itself is as long as a header may be.
  const many = [...text('m'), ...text('\u0001U8,;'.repeat(5e4)), Uint8Array.of(0)];
  await refusing([Uint8Array.of(9), ...Array(9).fill(many).flat()], LimitError, /limits\.headerBytes/);
  await refusing(one(`\u0001U8,${'1,'.repeat(1e6)}1;`), LimitError, /limits\.rank/);
  const counts = Array(20).fill(Uint8Array.from(varint(60_000)));
  const tensors = [Uint8Array.of(20), ...counts, new Uint8Array(12 * 20), new Uint8Array(2e6)];
  await refusing([...one('{}'), ...tensors], LimitError, /too many pieces.*limits\.tensors/);
  const files = Uint8Array.from(varint(65_537));
  await refusing([files, new Uint8Array(1e6)], FormatError, /no source files, or too many/);
});

test('any byte of a plan with another value, or without its end, is refused or read', async () => {
  const file = await modelFileOf(MODEL, { encode: { fragments: 2 } });
  const text = parseSafetensorsHeader(file).metadata.get(PLAN_KEY)!;
  const bytes = planBytes(text);
  assert.is(planText(bytes), text);
  let refused = 0;
  const read = async (other: Uint8Array) => {
    try {
      await readModelFile(bytesSource(withPlanText(file, planText(other))));
    } catch (error) {
      if (!(error instanceof HolostreamError)) throw error;
      assert.match(error.message, /^Cannot /);
      refused += 1;
    }
  };
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff, bytes[at]! ^ 1]) {
      const other = bytes.slice();
      other[at] = value;
      await read(other);
    }
    const before = refused;
    await read(bytes.subarray(0, at));
    assert.is(refused, before + 1, `the first ${at} bytes`);
  }
  const longer = refused;
  await read(Buffer.concat([bytes, Uint8Array.of(0)]));
  assert.is(refused, longer + 1);
});

test('a plan that is no plan', async () => {
  const file = await modelFileOf(MODEL);
  const refusing = (text: string, kind: new (what: string) => Error, message: RegExp) =>
    rejects(readModelFile(bytesSource(withPlanText(file, text))), kind, message);
  await refusing('', FormatError, /no length/);
  await refusing('*', FormatError, /not Base64/);
  await refusing('{}', FormatError, /not Base64/);
  await refusing(btoa('\u0005abc'), FormatError, /damaged/);
  // A length that nothing stands for.
  await refusing(btoa('\u00ff\u00ff\u00ff\u0007'), FormatError, /length is wrong/);
  await refusing(btoa('\u00ff\u00ff\u00ff\u00ff\u00ff\u0007'), LimitError, /limits\.headerBytes/);
  const zeros = lz4Compress(new Uint8Array(2 ** 20));
  await refusing(
    Buffer.from([0x80, 0x80, 0x40, ...zeros]).toString('base64'),
    FormatError,
    /no source files/,
  );
  const { metadata } = parseSafetensorsHeader(file);
  for (const version of [undefined, '0', '1', '3', 'x', '99']) {
    const isOlder = version === '1' || version === '3';
    const other = new Map([...metadata, ...(version === undefined ? [] : [[VERSION_KEY, version] as const])]);
    if (version === undefined) other.delete(VERSION_KEY);
    throws(
      () => parseModelPlan(other),
      UnsupportedError,
      isOlder ? /encode the model again/ : /unsupported version/,
    );
  }
});

test('a plan that does not fit its file', async () => {
  const file = await modelFileOf(MODEL);
  const refusing = (change: (plan: ModelPlan) => ModelPlan, message: RegExp) =>
    rejects(readModelFile(bytesSource(withPlan(file, change))), FormatError, message);
  await refusing(
    ({ files, tensors: [cut] }) => ({ files, tensors: [cut!], order: cut!.encoded!.sizes.map(() => 0) }),
    /another number of tensors/,
  );
  await refusing(
    (plan) => ({
      ...plan,
      tensors: plan.tensors.map(({ encoded, ...tensor }) => ({
        ...tensor,
        encoded: encoded && { ...encoded, sizes: encoded.sizes.map((size) => size + 1) },
      })),
    }),
    /not its data/,
  );
});

test('limits hold for the pieces of a plan', async () => {
  const file = await modelFileOf(MODEL, { encode: { fragments: 8 } });
  const source = bytesSource(file);
  assert.is((await readModelFile(source, { limits: { tensors: 10 } })).tensors.length, 2);
  await rejects(readModelFile(source, { limits: { tensors: 9 } }), LimitError, /limits\.tensors/);
  await rejects(readModelFile(source, { limits: { fragments: 7 } }), LimitError, /limits\.fragments/);
});

test('a plan that could not be read is not written', () => {
  const tensor = { weight: 1, hash: '0'.repeat(16), encoded: undefined };
  const files = [{ name: 'm', header: '{}' }];
  const good: ModelPlan = { files, index: undefined, tensors: [tensor], order: [0] };
  assert.equal(parseModelPlan(metadataOf(serializeModelPlan(good))), good);
  const bad: readonly [Partial<ModelPlan>, RegExp][] = [
    [{ files: [] }, /no files, or too many/],
    [{ files: Array(65_537).fill(files[0]) }, /no files, or too many/],
    [{ order: [] }, /each piece once/],
    [{ order: [0, 0] }, /each piece once/],
    [{ order: [1] }, /each piece once/],
    [{ index: '\ud800' }, /not Unicode/],
    [{ tensors: [{ ...tensor, encoded: { sizes: [120], cosines: [] } }] }, /a size for each/],
    [{ tensors: [{ ...tensor, encoded: { sizes: [120], cosines: [1] } }] }, /a size for each/],
    [{ tensors: [{ ...tensor, weight: -1 }] }, /weight/],
    [{ tensors: [{ ...tensor, hash: 'x' }] }, /16 hexadecimal digits/],
  ];
  for (const [change, message] of bad)
    throws(() => serializeModelPlan({ ...good, ...change }), ArgumentError, message);
});

test.run();
