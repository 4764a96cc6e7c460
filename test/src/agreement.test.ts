import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HctReader } from '../../readers/hctReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { HctWriter } from '../../sinks/hct.js';
import { HoloTensorWriter } from '../../sinks/holotensor.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';
import { viewOf } from '../../src/bytes/binary.js';
import { loadCodec } from '../../src/codecs/loadCodec.js';
import { loadDecoder } from '../../src/codecs/loadDecoder.js';
import { parseFragmentStart, serializeFragment } from '../../src/encodings/embedded/format.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { ENCODINGS, encodingByName } from '../../src/encodings/encodings.js';
import { FormatError, HolostreamError } from '../../src/errors.js';
import { parseHctHeader } from '../../src/hct/header.js';
import { FRAGMENT_INDEX_ENTRY_SIZE, HOLO_HEADER_SIZE } from '../../src/holotensor/constants.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { fragmentCount, parseHoloTensorHeader } from '../../src/holotensor/header.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { portableKernels } from '../../src/kernels/portableKernels.js';
import { xxh3 } from '../../src/kernels/xxh3/checksum.js';
import type { DType } from '../../src/tensor/dtype.js';
import { float32ToBfloat16, float32ToHalf, halfToFloat32 } from '../../src/tensor/float.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { rejects } from '../helpers/assertions.js';
import { blockArbitrary } from '../helpers/blockData.js';
import { encodeWith } from '../helpers/encodings.js';
import { mutate, mutations } from '../helpers/mutations.js';
import { Outcomes } from '../helpers/outcomes.js';
import { noise } from '../helpers/random.js';
import { runsOf } from '../helpers/runs.js';
import { unitsOf } from '../helpers/unitsOf.js';
import { zstdImplementations } from '../helpers/zstdImplementations.js';

/**
 * The portable decoders and those in wasm say the same of every input: what one refuses, the other refuses, and what they
 * accept means the same to both.
 */
const test = suite('agreement of implementations');

const wasm = await loadKernels({ implementation: 'wasm' });
const IMPLEMENTATIONS = [portableKernels, wasm] as const;

/** What work gives; or that it was refused. Errors outside the family fail the test. */
function outcome<T>(work: () => T): T | 'refused' {
  try {
    return work();
  } catch (error) {
    if (error instanceof HolostreamError) return 'refused';
    throw error;
  }
}

async function asyncOutcome<T>(work: () => Promise<T>): Promise<T | 'refused'> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HolostreamError) return 'refused';
    throw error;
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

for (const algorithm of ['lz4', 'zstd'] as const) {
  test(`${algorithm}: mutated blocks, and outputs of another length`, async () => {
    const codec = await loadCodec(algorithm, { implementation: 'wasm' });
    const names = algorithm === 'zstd' ? zstdImplementations() : (['portable', 'wasm'] as const);
    const decoders = await Promise.all(
      names.map((implementation) => loadDecoder(algorithm, { implementation })),
    );
    const seen = new Outcomes();
    fc.assert(
      fc.property(
        blockArbitrary(2000),
        fc.constantFrom(1, 3, 12),
        mutations,
        fc.constantFrom(0, 0, 0, 0, -1, 1, 7),
        (data, level, changes, more) => {
          const block = mutate(codec.compress(data, { level }), changes);
          const length = Math.max(0, data.length + more);
          const [first, second, native] = decoders.map((decoder) =>
            outcome(() => {
              const out = new Uint8Array(length);
              decoder.decompressInto(block, out);
              return hex(out);
            }),
          );
          assert.is(second, first);
          // The fast loops of libzstd do not look whether the bits of literals end with the literals.
          if (native !== undefined && first !== 'refused') assert.is(native, first);
          seen.add(first !== 'refused');
        },
      ),
      { numRuns: runsOf(2500) },
    );
    seen.assertBoth(0.15);
  });
}

const CASES: readonly [HolographicEncoding, object, object?][] = [
  ['spectral', { layout: 'raster' }],
  ['spectral', { layout: 'ranked' }],
  ['spectral', { layout: 'essential' }],
  ['random-projection', { matrix: 'orthonormal' }],
  ['random-projection', { matrix: 'gaussian' }],
  ['random-projection', { matrix: 'gaussian' }, { solver: 'least-squares' }],
  ['low-rank', { residual: true }],
  ['low-rank', { layout: 'interleaved' }],
];

/** What a decoder says to these fragments, and the numbers in the end. */
function decodeAll(
  encoding: HolographicEncoding,
  request: object,
  options: object,
  payloads: readonly Uint8Array[],
  elements: number,
) {
  const decoder = encodingByName(encoding).createDecoder(request as never, options);
  const said: unknown[] = payloads.map((payload, index) =>
    outcome(() => decoder.addFragment(index, payload)),
  );
  const values = new Float32Array(elements);
  said.push(outcome(() => decoder.reconstruct(values)));
  said.push(decoder.quality.fraction, decoder.usableFragments);
  return { said, values };
}

/** Both the same number, infinity or NaN, up to the rounding of sums of f32. */
function assertSameNumbers(
  actual: Float32Array,
  expected: Float32Array,
  largest = largestOf(expected),
): void {
  for (const [i, value] of expected.entries()) {
    const other = actual[i]!;
    if (Object.is(value, other) || Math.abs(value - other) <= 1e-4 * largest) continue;
    assert.unreachable(`[${i}]: ${other} for ${value}`);
  }
}

function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
}

/**
 * The same of solutions of P x = y: where a random matrix is nearly singular, they differ by much more than what they are computed from,
 * along directions in which P x hardly differs. So P x is compared.
 */
function assertSameSolutions(
  actual: Float32Array,
  expected: Float32Array,
  project: (x: Float32Array) => Float32Array,
): void {
  const largest = largestOf(expected);
  if (largest === 0 || ![...actual, ...expected].every(Number.isFinite)) {
    assertSameNumbers(actual, expected);
    return;
  }
  // Of this size, so that no projection is too large.
  const [own, other] = [expected, actual].map((x) => project(x.map((value) => value / largest)));
  assertSameNumbers(other!, own!, Math.max(1, largestOf(own!)));
}

/** Behind the number of rows and the seed. */
const PROJECTIONS_START = 12;

function projectionsOf(payloads: readonly Uint8Array[]): Float32Array {
  const bytes = payloads.flatMap((payload) => [...payload.subarray(PROJECTIONS_START)]);
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

for (const [encoding, options, decodeOptions = {}] of CASES) {
  const name = `${encoding} ${JSON.stringify({ ...options, ...decodeOptions })}`;
  test(`${name}: mutated fragments`, () => {
    const seen = new Outcomes();
    fc.assert(
      fc.property(
        fc.record({
          rows: fc.integer({ min: 1, max: 9 }),
          cols: fc.integer({ min: 1, max: 12 }),
          fragments: fc.integer({ min: 1, max: 4 }),
          exponent: fc.constantFrom(0, 0, -30, 18, 36),
          seed: fc.nat(1000),
        }),
        fc.nat(),
        mutations,
        ({ rows, cols, fragments, exponent, seed }, victim, changes) => {
          const data = noise(rows * cols, seed).map((value) => value * 10 ** exponent);
          const tensor: Tensor<DType> = { dtype: 'F32', shape: [rows, cols], data };
          const { encoded, request } = encodeWith(ENCODINGS[encoding] as never, tensor, options, {
            fragments,
            seed: BigInt(seed),
          });
          const payloads = [...encoded.payloads];
          const index = victim % payloads.length;
          payloads[index] = mutate(payloads[index]!, changes);
          const [portable, compiled] = IMPLEMENTATIONS.map((kernels) =>
            decodeAll(encoding, { ...request, kernels }, decodeOptions, payloads, rows * cols),
          );
          assert.equal(compiled!.said, portable!.said);
          if ('solver' in decodeOptions) {
            assertSameSolutions(compiled!.values, portable!.values, (x) => {
              const solved: Tensor<DType> = { dtype: 'F32', shape: [rows, cols], data: x };
              const again = encodeWith(ENCODINGS['random-projection'], solved, options, {
                fragments,
                seed: BigInt(seed),
              });
              return projectionsOf(again.encoded.payloads);
            });
          } else assertSameNumbers(compiled!.values, portable!.values);
          seen.add(!portable!.said.includes('refused'));
        },
      ),
      { numRuns: runsOf(400) },
    );
    seen.assertBoth(0.25);
  });
}

test('coefficients whose sums do not fit f32 are refused', () => {
  const side = 64;
  const tensor: Tensor<DType> = { dtype: 'F32', shape: [side, side], data: new Float32Array(side * side) };
  for (const layout of ['raster', 'ranked', 'essential'] as const) {
    const { encoded, request } = encodeWith(ENCODINGS.spectral, tensor, { layout }, { fragments: 1 });
    const payload = encoded.payloads[0]!.slice();
    const view = viewOf(payload);
    const [step, first] = layout === 'essential' ? [8, 12] : [4, payload.length - 4 * side * side];
    for (let at = first; at < payload.length; at += step) view.setFloat32(at, 3e38, true);
    for (const kernels of IMPLEMENTATIONS) {
      const decoder = ENCODINGS.spectral.createDecoder({ ...request, kernels }, {});
      assert.throws(
        () => decoder.addFragment(0, payload),
        (error: unknown) => error instanceof FormatError && /too large/.test(error.message),
      );
      assert.is(decoder.quality.fraction, 0);
      decoder.addFragment(0, encoded.payloads[0]!);
    }
  }
});

/** Everything that an embedded decoder says, bit for bit. */
function traceEmbedded(
  { dtype, shape, data }: Tensor<DType>,
  payloads: readonly Uint8Array[],
  kernels: Kernels,
) {
  const elements = shape[0]!;
  const request = { rows: 1, cols: elements, dtype, fragments: payloads.length, seed: 0n, norm: undefined };
  const decoder = ENCODINGS.embedded.createDecoder({ ...request, kernels }, {});
  return payloads.map((payload, index) => {
    const values = new Float32Array(elements);
    const bytes = new Uint8Array(data.byteLength);
    const said = [
      outcome(() => decoder.addFragment(index, payload)),
      outcome(() => decoder.reconstruct(values)),
      outcome(() => decoder.reconstructElements!(bytes)),
    ];
    // What was being written when something was thrown says nothing.
    return said.includes('refused') ? [...said, decoder.quality] : [hex(viewBytes(values)), hex(bytes)];
  });
}

const embeddedTensors: fc.Arbitrary<Tensor<DType>> = fc
  .record({
    dtype: fc.constantFrom<DType>('F32', 'BF16', 'F16', 'I8'),
    length: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 500, max: 700 })),
    kind: fc.constantFrom('dense', 'sparse', 'wide'),
    seed: fc.nat(),
  })
  .map(({ dtype, length, kind, seed }) => {
    const values = noise(length, seed).map((value, i) => {
      if (kind === 'dense') return value ** 3;
      if (kind === 'sparse') return i % 7 === 0 ? value : i % 5 === 0 ? -0 : 0;
      return i % 97 === 1 ? Number.NaN : value * 10 ** (38 * Math.sin(i));
    });
    const shape = [length];
    if (dtype === 'I8') return { dtype, shape, data: Int8Array.from(values, (value) => 300 * value) };
    if (dtype === 'F32') return { dtype, shape, data: values };
    return { dtype, shape, data: dtype === 'BF16' ? float32ToBfloat16(values) : float32ToHalf(values) };
  });

test('embedded: mutated fragments, and mutated units in sound fragments', () => {
  const seen = new Outcomes();
  fc.assert(
    fc.property(
      embeddedTensors,
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
      fc.nat(),
      mutations,
      fc.boolean(),
      (tensor, fragments, victim, unit, changes, insideUnit) => {
        const { payloads: sound } = encodeWith(ENCODINGS.embedded, tensor, {}, { fragments }).encoded;
        const payloads = [...sound];
        const index = victim % payloads.length;
        const start = parseFragmentStart(payloads[index]!, index);
        const units = unitsOf(payloads[index]!, index);
        if (insideUnit && units.length > 0) {
          const place = unit % units.length;
          units[place] = mutate(units[place]!, changes);
          payloads[index] = serializeFragment(start, units);
        } else payloads[index] = mutate(payloads[index]!, changes);
        const portable = traceEmbedded(tensor, payloads, portableKernels);
        assert.equal(traceEmbedded(tensor, payloads, wasm), portable);
        seen.add(!portable.flat().includes('refused'));
      },
    ),
    { numRuns: runsOf(2000) },
  );
  seen.assertBoth(0.25);
});

test('embedded: bits behind the last weight, as in test/fixtures/hostile', async () => {
  const url = new URL('../fixtures/hostile/embedded-portable-accepts.holo', import.meta.url);
  const reader = await HoloTensorReader.open(bytesSource(readFileSync(url)));
  for (const kernels of IMPLEMENTATIONS) {
    await rejects(reader.readAll({ kernels }), FormatError, /bits behind the last weight.*fragment 1/);
  }
});

/** A header may say anything. */
const LIMITS = { tensorBytes: 2 ** 24 };

/** A changed copy of a file whose checksums are right. */
function repaired(
  bytes: Uint8Array,
  changes: Parameters<typeof mutate>[1],
  repair: (bytes: Uint8Array, view: DataView) => void,
): Uint8Array {
  const changed = mutate(bytes, changes);
  outcome(() => {
    try {
      repair(changed, viewOf(changed));
    } catch (error) {
      // What is left of the file has no room for the checksum.
      if (!(error instanceof RangeError)) throw error;
    }
  });
  return changed;
}

test('whole HCT files, mutated, their checksums repaired', async () => {
  const seen = new Outcomes();
  await fc.assert(
    fc.asyncProperty(
      blockArbitrary(1500),
      fc.constantFrom('lz4', 'zstd'),
      fc.constantFrom(64, 500),
      mutations,
      async (data, algorithm, blockSize, changes) => {
        const sink = memorySink();
        const writer = new HctWriter(sink, { dtype: 'I8', shape: [data.length], algorithm, blockSize });
        await writer.write(data);
        await writer.close();
        const file = repaired(sink.bytes, changes, (bytes, view) => {
          view.setBigUint64(56, xxh3(bytes.subarray(0, 56)), true);
          const { blockCount } = parseHctHeader(bytes);
          for (let block = 0, at = 64 + 16 * blockCount; block < blockCount; block++) {
            const size = view.getUint32(64 + 16 * block + 4, true);
            view.setBigUint64(64 + 16 * block + 8, xxh3(bytes.subarray(at, at + size)), true);
            at += size;
          }
        });
        const [portable, compiled] = await Promise.all(
          (['portable', 'wasm'] as const).map((implementation) =>
            asyncOutcome(async () => {
              const reader = await HctReader.open(bytesSource(file), { implementation, limits: LIMITS });
              return hex(viewBytes((await reader.readAll()).data));
            }),
          ),
        );
        assert.is(compiled, portable);
        seen.add(portable !== 'refused');
      },
    ),
    { numRuns: runsOf(500) },
  );
  seen.assertBoth(0.25);
});

test('whole HoloTensor files, mutated, their checksums repaired', async () => {
  const seen = new Outcomes();
  await fc.assert(
    fc.asyncProperty(
      embeddedTensors,
      fc.constantFrom('none', 'lz4', 'zstd'),
      mutations,
      async (tensor, compression, changes) => {
        const { header, fragments } = new HoloTensorEncoder('embedded', { fragments: 3 }).encodeTensor(
          tensor,
        );
        const sink = memorySink();
        await new HoloTensorWriter(sink, { compression }).write(header, fragments);
        const file = repaired(sink.bytes, changes, (bytes, view) => {
          view.setBigUint64(88, xxh3(bytes.subarray(0, 88)), true);
          const count = fragmentCount(parseHoloTensorHeader(bytes));
          const dataStart = HOLO_HEADER_SIZE + FRAGMENT_INDEX_ENTRY_SIZE * count;
          for (let at = HOLO_HEADER_SIZE; at < dataStart; at += FRAGMENT_INDEX_ENTRY_SIZE) {
            const start = dataStart + view.getUint32(at + 4, true);
            const stored = bytes.subarray(start, start + view.getUint32(at + 8, true));
            view.setBigUint64(at + 16, xxh3(stored), true);
          }
        });
        const [portable, compiled] = await Promise.all(
          IMPLEMENTATIONS.map((kernels) =>
            asyncOutcome(async () => {
              const options = { implementation: kernels.implementation, limits: LIMITS };
              const reader = await HoloTensorReader.open(bytesSource(file), options);
              return hex(viewBytes((await reader.readAll({ kernels, dtype: 'source' })).data));
            }),
          ),
        );
        assert.is(compiled, portable);
        seen.add(portable !== 'refused');
      },
    ),
    { numRuns: runsOf(500) },
  );
  seen.assertBoth(0.25);
});

test('dequantization by every scale, those that are not finite among them', () => {
  const scales = halfToFloat32(Uint16Array.from({ length: 65536 }, (_, bits) => bits));
  const values = Int8Array.from({ length: 65536 }, (_, i) => i * 37);
  for (const zeroPoint of [-128, 0, 127]) {
    const [expected, actual] = IMPLEMENTATIONS.map(({ dequantizeGroups }) => {
      const out = new Float32Array(values.length);
      dequantizeGroups(values, scales, 1, zeroPoint, out);
      return out;
    });
    for (const [i, value] of expected!.entries())
      assert.ok(Object.is(actual![i], value), `scale ${scales[i]}`);
  }
});

test('inverse transforms of coefficients up to the largest norm', () => {
  for (const [rows, cols] of [
    [64, 64],
    [1, 4099],
    [3, 1155],
    [257, 1],
  ] as const) {
    const length = rows * cols;
    for (const norm of [1e-30, 1, 1e20, 3.4e38]) {
      const inputs = [
        new Float32Array(length).fill(norm / Math.sqrt(length)),
        noise(length, 5).map((value) => (value * norm) / Math.sqrt(length)),
        Float32Array.from({ length }, (_, i) => (i === 0 ? norm : 0)),
      ];
      for (const input of inputs) {
        const [expected, actual] = IMPLEMENTATIONS.map(({ idct2d }) => {
          const out = new Float32Array(length);
          idct2d(input, rows, cols, out);
          return out;
        });
        assertSameNumbers(actual!, expected!);
      }
    }
  }
});

test.run();
