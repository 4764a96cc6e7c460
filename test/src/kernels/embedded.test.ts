import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { embedded } from '../../../src/encodings/embedded/embedded.js';
import { parseFragmentStart } from '../../../src/encodings/embedded/format.js';
import { elementsAsBits } from '../../../src/encodings/embedded/source.js';
import { FormatError, UnsupportedError } from '../../../src/errors.js';
import { embeddedEncodeKernels } from '../../../src/kernels/embedded/encodeKernels.js';
import { wasmEmbeddedEncode } from '../../../src/kernels/embedded/wasm/encode.js';
import type { Kernels } from '../../../src/kernels/kernels.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import type { DType } from '../../../src/tensor/dtype.js';
import { float32ToBfloat16, float32ToHalf } from '../../../src/tensor/float.js';
import { float32ToFloat8 } from '../../../src/tensor/float8.js';
import { type Tensor, viewBytes, viewElements } from '../../../src/tensor/tensor.js';
import { encodeRequest, encodeWith } from '../../helpers/encodings.js';
import { noise, pseudoRandomBytes, randomFrom } from '../../helpers/random.js';
import { unitsOf } from '../../helpers/unitsOf.js';

const wasm = await loadKernels({ implementation: 'wasm' });

/** Values whose exponents spread like those of weights, or as widely as `spread` says. */
function weights(length: number, seed: number, spread = 1): Float32Array {
  return noise(length, seed).map((value) => value ** 3 * Math.exp(spread * Math.sin(value * 1e4)));
}

const SPARSE = weights(9000, 5).map((value, i) => (i % 9 < 7 ? 0 : i % 50 === 1 ? -0 : value));

const TENSORS: readonly Tensor<DType>[] = [
  ...[1, 2, 63, 64, 65, 127, 300, 4095, 4096, 4097, 11008, 70001, 140_000].map((length, i) =>
    ofDtype((['F32', 'BF16', 'F16'] as const)[i % 3]!, weights(length, i + 1)),
  ),
  ...(['F32', 'BF16', 'F16'] as const).flatMap((dtype) => [
    ofDtype(dtype, SPARSE),
    ofDtype(dtype, weights(6000, 7, 12)),
    ofDtype(
      dtype,
      weights(6000, 8).map((value) => value * (dtype === 'F16' ? 1e-6 : 1e-37)),
    ),
    { dtype, shape: [8192], data: viewElements(dtype, pseudoRandomBytes(8192 * (dtype === 'F32' ? 4 : 2))) },
  ]),
  ...[200, 1000].flatMap((columns) => [
    { ...ofDtype('F32', scaled(90, columns)), shape: [90, columns] },
    { ...ofDtype('BF16', scaled(90, columns)), shape: [90, columns] },
    { ...ofDtype('F16', scaled(90, columns)), shape: [90, columns] },
  ]),
  ...(['F8_E4M3', 'F8_E5M2'] as const).flatMap((dtype): Tensor<DType>[] => [
    { dtype, shape: [8192], data: pseudoRandomBytes(8192) },
    { dtype, shape: [9000], data: float32ToFloat8(dtype, SPARSE) },
    { dtype, shape: [90, 200], data: float32ToFloat8(dtype, scaled(90, 200)) },
    ...[300, 0.1, 0.02, 0.001, 1e-5].map((scale) => {
      const values = weights(9001, 14).map((value) => value * scale);
      return { dtype, shape: [9001], data: float32ToFloat8(dtype, values) };
    }),
  ]),
  { dtype: 'I8', shape: [9001], data: new Int8Array(pseudoRandomBytes(9001).buffer) },
  { dtype: 'I8', shape: [9001], data: Int8Array.from(weights(9001, 9), (value) => 200 * value) },
];

/** Rows and columns of different scales. */
function scaled(rows: number, columns: number): Float32Array {
  return weights(rows * columns, 12).map((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return value * 2 ** (2 * Math.sin(row) + 4 * Math.sin(7 * column));
  });
}

function ofDtype(dtype: 'F32' | 'BF16' | 'F16', values: Float32Array): Tensor<DType> {
  const data =
    dtype === 'F32' ? values : dtype === 'BF16' ? float32ToBfloat16(values) : float32ToHalf(values);
  return { dtype, shape: [values.length], data };
}

/** What a decoder threw, its numbers and elements, and the rest of what it says. */
interface Traced {
  readonly thrown: string | undefined;
  readonly made: readonly Uint8Array[];
  readonly quality: unknown;
}

/** `assert.equal` takes a second for each hundred megabytes. */
function assertSame(actual: readonly Traced[], expected: readonly Traced[], name?: string): void {
  const told = (all: readonly Traced[]) =>
    all.map(({ made, ...rest }) => ({ ...rest, lengths: made.map(({ length }) => length) }));
  assert.equal(told(actual), told(expected), name);
  const bytes = (all: readonly Traced[]) => Buffer.concat(all.flatMap(({ made }) => made));
  assert.is(Buffer.compare(bytes(actual), bytes(expected)), 0, name);
}

/** All that a decoder says after each of these payloads: what it threw, its numbers, its elements. */
function trace(tensor: Tensor<DType>, payloads: readonly Uint8Array[], kernels: Kernels): Traced[] {
  const { rows, cols } = encodeRequest(tensor, 1);
  const request = { rows, cols, dtype: tensor.dtype, fragments: payloads.length, seed: 0n, norm: undefined };
  const decoder = embedded.createDecoder({ ...request, kernels }, {});
  return payloads.map((payload, index) => {
    const values = new Float32Array(rows * cols);
    const elements = new Uint8Array(tensor.data.byteLength);
    let thrown: string | undefined;
    try {
      decoder.addFragment(index, payload);
      decoder.reconstruct(values);
      decoder.reconstructElements!(elements);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
      thrown = error.what;
    }
    // An array that was being filled when something was thrown says nothing.
    const made = thrown === undefined ? [viewBytes(values), elements] : [];
    return { thrown, made, quality: decoder.quality };
  });
}

/** Each tensor as the portable kernels encode it. */
const ENCODED = TENSORS.map((tensor) => {
  return { tensor, payloads: encodeWith(embedded, tensor, {}, { fragments: 9 }).encoded.payloads };
});

test('planes, signs, remainders and numbers are those of the portable kernels', () => {
  for (const { tensor, payloads } of ENCODED) {
    const name = `${tensor.dtype} [${tensor.shape}]`;
    assertSame(trace(tensor, payloads, wasm), trace(tensor, payloads, portableKernels), name);
  }
});

test('what is encoded is that of the portable kernels', () => {
  assert.is(embeddedEncodeKernels(wasm), wasmEmbeddedEncode());
  let [all, cutElsewhere] = [0, 0];
  for (const { tensor, payloads: expected } of ENCODED) {
    const ours = embedded.encode({ ...encodeRequest(tensor, 9), kernels: wasm }, {});
    const name = `${tensor.dtype} [${tensor.shape}]`;
    assert.is(ours.payloads.length, expected.length, name);
    let cut = true;
    let [first, expectedFirst] = [0, 0];
    ours.payloads.forEach((payload, k) => {
      const a = parseFragmentStart(payload, k);
      const b = parseFragmentStart(expected[k]!, k);
      assert.equal(a.stream, b.stream, name);
      // Sums of floats, in another order, may say that a fragment reaches its quality a group earlier.
      const begins = cut;
      const same = first === expectedFirst;
      first += a.count - (a.groups > 0 ? 1 : 0);
      expectedFirst += b.count - (b.groups > 0 ? 1 : 0);
      cut = a.groups === b.groups && first === expectedFirst;
      all += 1;
      if (!begins || !cut) {
        cutElsewhere += 1;
        return;
      }
      assert.ok(same, name);
      assert.equal(unitsOf(payload, k), unitsOf(expected[k]!, k), name);
      assert.ok(Math.abs(a.cosine - b.cosine) < 1e-6, `${name}: ${a.cosine} for ${b.cosine}`);
    });
  }
  assert.ok(cutElsewhere < all / 10, `${cutElsewhere} of ${all} fragments are cut elsewhere`);
});

test('sums of many weights with short mantissas are exact', () => {
  const [ours, expected] = [wasm, portableKernels].map(embeddedEncodeKernels);
  const scales = new Uint8Array(157).fill(44);
  for (const [dtype, scale, depth] of [
    ['BF16', -13, 14],
    ['BF16', -11, 15],
    ['BF16', -16, 20],
    ['F8_E4M3', -8, 10],
    ['F8_E5M2', -16, 18],
  ] as const) {
    const values = weights(9990, 13).map((value, i) => (i % 100 === 0 ? 0 : value / 4));
    const data = dtype === 'BF16' ? float32ToBfloat16(values) : float32ToFloat8(dtype, values);
    const { patterns, layout } = elementsAsBits({ dtype, shape: [9990], data });
    const dense = { threshold: 20, ratio: -2 };
    const fixed = new Uint16Array(0);
    const planes = Array.from({ length: depth }, (_, j) => {
      return { selection: new Uint8Array(0), apart: false, fixed, level: depth - 1 - j, codedDense: 1 };
    });
    const coding = { scale, depth, dense, codedDense: 1, planes, nonzero: new Uint8Array(0) };
    const [a, b] = [ours!, expected!].map((kernels) =>
      kernels.encodeTile({ patterns, layout, parts: undefined, scales }, coding, Uint8Array.of(0)),
    );
    assert.equal(a!.lengths, b!.lengths, dtype);
    assert.equal(a!.bytes, b!.bytes, dtype);
    [a!.energy, ...a!.sums].forEach((sum, i) => {
      const other = [b!.energy, ...b!.sums][i]!;
      assert.ok(
        Math.abs(sum - other) <= 1e-9 * Math.abs(other),
        `${dtype}, sum ${i - 1}: ${sum} for ${other}`,
      );
    });
  }
});

test('rows of all kinds of numbers are surveyed as by the portable kernels', () => {
  const [ours, expected] = [wasm, portableKernels].map(embeddedEncodeKernels);
  const dtypes = ['F32', 'BF16', 'F16'] as const;
  for (const { dtype, shape, data } of [
    ...dtypes.map((dtype) => ofDtype(dtype, weights(40_000, 3))),
    ...dtypes.map((dtype) => ofDtype(dtype, SPARSE.subarray(0, 8992))),
    ...dtypes.map((dtype) => ofDtype(dtype, weights(8000, 7, 12))),
    // Subnormal numbers.
    ...dtypes.map((dtype) =>
      ofDtype(
        dtype,
        weights(8000, 7, 4).map((value) => value * 1e-39),
      ),
    ),
    // NaNs and infinities, too.
    { dtype: 'BF16', shape: [16_000], data: viewElements('BF16', pseudoRandomBytes(32_000)) } as const,
    ofDtype('BF16', new Float32Array(800)),
  ]) {
    const { patterns, layout } = elementsAsBits({ dtype, shape, data });
    for (const rowLength of [16, 1000, 1024, 1001]) {
      const before = Float64Array.from({ length: rowLength }, (_, column) => column / 8);
      const [a, b] = [ours!, expected!].map((kernels) =>
        kernels.surveyRows(patterns, layout, rowLength, before),
      );
      const name = `${dtype} ${shape}, ${rowLength}`;
      assert.equal(a!.exponents, b!.exponents, name);
      assert.equal(a!.subnormals, b!.subnormals, name);
      assert.equal(a!.columns, b!.columns, name);
      assert.is(a!.rows.length, b!.rows.length, name);
      a!.rows.forEach((energy, row) => {
        const other = b!.rows[row]!;
        assert.ok(Math.abs(energy - other) <= 1e-12 * other, `${name}: ${energy} for ${other}`);
      });
    }
  }
});

test('weights of a tile are sorted, and what groups change is summed, to the last bit as by the portable kernels', () => {
  const [ours, expected] = [wasm, portableKernels].map(embeddedEncodeKernels);
  const scales = Uint8Array.from({ length: 16 }, (_, group) => 3 * group);
  const placing = (level: number) => ({
    perStep: 2 ** -level,
    step: 2 ** level,
    inside: 0.45,
    ofZero: 0.4 * 2 ** level,
    least: 2 ** (level + 1),
    leastScale: 4 * level + 2,
  });
  const columns = Uint32Array.from({ length: 100 }, (_, i) => (37 * i) % 100);
  const parts = Array.from({ length: 10 }, (_, row) => ({ first: 100 * row, columns }));
  for (const { dtype, shape, data } of [
    ofDtype('F32', weights(1000, 3)),
    ofDtype('BF16', weights(1000, 4)),
    // With subnormal numbers.
    ofDtype('F16', weights(1000, 5, 6)),
  ]) {
    const { patterns, layout } = elementsAsBits({ dtype, shape, data });
    const tile = { patterns, layout, scales, parts };
    const sorted = ours!.sortTile(tile);
    assert.equal(sorted, expected!.sortTile(tile));
    assert.is(sorted[101], patterns[137]);
    for (const places of [[], [3, 999]]) {
      for (const [now, then] of [
        [placing(5), placing(6)],
        [placing(3), placing(3)],
      ] as const) {
        const own = { patterns: sorted, layout, scales, places };
        const changes = ours!.groupChanges(own, -12, 20, now, then);
        assert.equal(changes, expected!.groupChanges(own, -12, 20, now, then), dtype);
        assert.is(changes.length, 32);
        assert.is(
          changes.some((change) => change !== 0),
          now !== then && now.step !== then.step,
        );
      }
    }
  }
});

test('broken payloads are refused by both, or mean the same to both', () => {
  const random = randomFrom(11);
  const small = float32ToFloat8('F8_E4M3', weights(3000, 3));
  for (const tensor of [
    ofDtype('F32', weights(3000, 3)),
    ofDtype('BF16', SPARSE),
    ofDtype('F16', SPARSE),
    { dtype: 'F8_E4M3', shape: [3000], data: small },
    { dtype: 'F8_E5M2', shape: [9000], data: float32ToFloat8('F8_E5M2', SPARSE) },
  ] as const) {
    const { payloads } = encodeWith(embedded, tensor, {}, { fragments: 3 }).encoded;
    for (let run = 0; run < 150; run++) {
      const broken = payloads.map((payload) => payload.slice());
      const victim = broken[run % 3]!;
      victim[Math.floor(random() ** 2 * victim.length)]! ^= 1 << Math.floor(8 * random());
      assertSame(trace(tensor, broken, wasm), trace(tensor, broken, portableKernels));
    }
  }
});

test.run();
