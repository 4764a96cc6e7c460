import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { finish } from '../../../../src/async/steps.js';
import { embedded } from '../../../../src/encodings/embedded/embedded.js';
import { parseFragmentStart, serializeFragment } from '../../../../src/encodings/embedded/format.js';
import { unpackScales } from '../../../../src/encodings/embedded/streamHeader.js';
import { ArgumentError, FormatError, UnsupportedError } from '../../../../src/errors.js';
import { loadKernels } from '../../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../../src/kernels/portableKernels.js';
import { fromFloat32 } from '../../../../src/tensor/numbers.js';
import { similarity } from '../../../../src/tensor/similarity.js';
import { viewBytes } from '../../../../src/tensor/tensor.js';
import { toFloat32 } from '../../../../src/tensor/toFloat32.js';
import { throws } from '../../../helpers/assertions.js';
import { checkEmbeddedQuality } from '../../../helpers/checks/embeddedQuality.js';
import {
  type Coded,
  cosineSimilarity,
  encodeRequest,
  encodeWith,
  f32Tensor,
} from '../../../helpers/encodings.js';
import { noise, normalFrom, randomFrom, randomSubset } from '../../../helpers/random.js';
import { trainedLike } from '../../../helpers/trained.js';

const wasm = await loadKernels({ implementation: 'wasm' });

const WEIGHTS = noise(20000).map((value) => value ** 3);

function encoded(fragments = 8, data: Float32Array = WEIGHTS): Coded {
  return encodeWith(embedded, f32Tensor([data.length], data), {}, { fragments });
}

/** What fragments 0 to k reconstruct, for each k. */
function prefixes({ encoded: { payloads }, request }: Coded): Float32Array[] {
  const decoder = embedded.createDecoder(request, {});
  return payloads.map((payload, index) => {
    decoder.addFragment(index, payload);
    const out = new Float32Array(request.rows * request.cols);
    decoder.reconstruct(out);
    return out;
  });
}

test('any order: what comes early is kept and used when the gap closes; duplicates count once', () => {
  const coded = encoded(12);
  const { payloads, cosines } = coded.encoded;
  assert.is(payloads.length, 12);
  const expected = prefixes(coded);
  const random = randomFrom(3);
  for (let run = 0; run < 20; run++) {
    const decoder = embedded.createDecoder(coded.request, {});
    const seen = new Set<number>();
    const out = new Float32Array(WEIGHTS.length);
    for (const index of randomSubset(12, 12, random)) {
      assert.ok(decoder.addFragment(index, payloads[index]!));
      assert.not.ok(decoder.addFragment(index, payloads[index]!));
      seen.add(index);
      let usable = 0;
      while (seen.has(usable)) usable += 1;
      assert.is(decoder.quality.fraction, usable / 12);
      decoder.reconstruct(out);
      assert.equal(out, expected[usable - 1] ?? new Float32Array(WEIGHTS.length));
      assert.ok(Math.abs(decoder.quality.cosine! - (cosines[usable - 1] ?? 0)) < 1e-7);
    }
  }
});

test('quality is the true one, fragment after fragment, and rises', () => {
  checkEmbeddedQuality(trainedLike([512, 128]));
});

test('NaNs and infinities do not spoil the quality of the others', () => {
  const data = WEIGHTS.with(5, Number.NaN).with(700, Number.NEGATIVE_INFINITY);
  const coded = encoded(8, data);
  assert.equal(coded.encoded.cosines.at(-1), 1);
  assert.ok(Number.isFinite(coded.encoded.norm));
  const results = prefixes(coded);
  const finite = (values: Float32Array) => values.with(5, 0).with(700, 0);
  results.forEach((out, k) => {
    const cosine = cosineSimilarity(finite(data), finite(out));
    assert.ok(Math.abs(cosine - coded.encoded.cosines[k]!) < 1e-4);
  });
  assert.ok(Number.isNaN(results.at(-1)![5]));
  assert.is(results.at(-1)![700], Number.NEGATIVE_INFINITY);
});

test('NaNs keep their bits and their places where weights are sorted by the scales of columns', () => {
  const shape = [150, 200];
  const values = noise(150 * 200).map((value, i) => value * 2 ** ((i * 7) % 5));
  for (const dtype of ['F32', 'BF16', 'F16'] as const) {
    const patterns = fromFloat32(dtype, values) as Float32Array | Uint16Array;
    const data = dtype === 'F32' ? new Uint32Array(patterns.buffer) : patterns;
    for (const place of [3, 4096, 29999]) data[place] = dtype === 'F32' ? 0x7fa00001 : 0x7fa1;
    const tensor = { dtype, shape, data: patterns };
    for (const kernels of [portableKernels, wasm]) {
      const request = { ...encodeRequest(tensor, 4), kernels };
      const { payloads, norm } = embedded.encode(request, {});
      const scales = parseFragmentStart(payloads[0]!, 0).stream!.scales!;
      assert.ok(unpackScales(scales, values.length).columns, 'scales of columns');
      const decoder = embedded.createDecoder({ ...request, dtype, norm, fragments: payloads.length }, {});
      for (const [index, payload] of payloads.entries()) decoder.addFragment(index, payload);
      const bytes = new Uint8Array(patterns.byteLength);
      decoder.reconstructElements!(bytes);
      assert.is(Buffer.compare(bytes, viewBytes(patterns)), 0, `${kernels.implementation} ${dtype}`);
    }
  }
});

test('the quality is that of the finite weights, however many others there are, and the last fragment is exact', () => {
  for (const dtype of ['F32', 'BF16', 'F16'] as const) {
    for (const every of [2, 9, 400]) {
      const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const numbers = WEIGHTS.map((value, i) => (i % every === 1 ? special[i % 3]! : value));
      const data = fromFloat32(dtype, numbers);
      const original = toFloat32({ dtype, shape: [numbers.length], data });
      for (const kernels of [portableKernels, wasm]) {
        const request = { ...encodeRequest({ dtype, shape: [numbers.length], data }, 16), kernels };
        const { payloads, cosines, norm } = embedded.encode(request, {});
        assert.ok(cosines.length > 4);
        const coded = {
          encoded: { payloads },
          request: { ...request, dtype, norm, fragments: payloads.length },
        };
        prefixes(coded as unknown as Coded).forEach((out, k) => {
          const { cosine } = similarity(original, out);
          const where = `${kernels.implementation} ${dtype}, one of ${every}, fragment ${k}: ${cosines[k]} for ${cosine}`;
          assert.ok(Math.abs(cosine - cosines[k]!) < 2e-6, where);
          const stated = parseFragmentStart(payloads[k]!, k).cosine;
          assert.ok(stated >= Math.min(cosines[k]!, 1 - 2 ** -24) && stated < cosines[k]! + 1e-7, where);
        });
      }
    }
  }
});

test('fragments end where the qualities ask for it', () => {
  const qualities = [0.5, 0.9, 0.99, 0.999, 'exact'] as const;
  const tensor = f32Tensor([WEIGHTS.length], WEIGHTS);
  const { cosines } = encodeWith(embedded, tensor, { qualities }).encoded;
  assert.is(cosines.length, 5);
  cosines.forEach((cosine, k) => {
    const wanted = qualities[k] === 'exact' ? 1 : (qualities[k] as number);
    assert.ok(cosine >= wanted && cosine < wanted + 0.08, `${cosine} for ${wanted}`);
  });
  for (const wrong of [[0.9, 0.5], [0], [1], [Number.NaN], [0.5, 0.5]]) {
    throws(() => encodeWith(embedded, tensor, { qualities: wrong }), ArgumentError, /qualities/);
  }
});

test('more fragments than there are parts: as many as there are parts', () => {
  const parts = encoded(65535).encoded.payloads.length;
  assert.ok(parts > 50 && parts < 1000);
  for (const [fragments, expected] of [
    [parts - 1, parts - 1],
    [parts, parts],
    [parts + 1, parts],
  ] as const) {
    assert.is(encoded(fragments).encoded.payloads.length, expected);
  }
});

test('fragments of other tensors are refused, and nothing changes', () => {
  const coded = encoded();
  const [first, second] = coded.encoded.payloads;
  const decoder = embedded.createDecoder(coded.request, {});
  const shorter = encoded(8, WEIGHTS.subarray(1)).encoded.payloads;
  throws(() => decoder.addFragment(0, shorter[0]!), FormatError, /it belongs to a tensor of another size/);
  throws(() => decoder.addFragment(0, second!), FormatError);
  throws(() => decoder.addFragment(8, first!), FormatError, /no such fragment/);
  decoder.addFragment(0, first!);
  const other = encoded(8, noise(WEIGHTS.length, 9)).encoded.payloads;
  throws(() => decoder.addFragment(1, other[1]!), FormatError);
  assert.is(decoder.quality.fraction, 1 / 8);
  assert.ok(decoder.addFragment(1, second!));
});

test('a fragment that turns out broken when its turn comes is named and forgotten', () => {
  const {
    encoded: { payloads },
    request,
  } = encoded();
  const decoder = embedded.createDecoder(request, {});
  const broken = payloads[1]!.slice();
  // Its first unit: a plane that is still coded.
  const lengths = payloads[1]!.length;
  broken.fill(0xff, lengths - 400);
  decoder.addFragment(1, broken);
  const error = throws(() => decoder.addFragment(0, payloads[0]!), FormatError);
  assert.is(error.fragmentIndex, 1);
  assert.is(decoder.quality.fraction, 1 / 8);
  assert.ok(decoder.addFragment(1, payloads[1]!));
  assert.is(decoder.quality.fraction, 2 / 8);
});

test('a first fragment that is forgotten takes its header with it', () => {
  const values = noise(60 * 100).map((value, i) => value * 2 ** ((i * 7) % 5));
  const { encoded, request } = encodeWith(embedded, f32Tensor([60, 100], values), {}, { fragments: 1 });
  const [payload] = encoded.payloads as [Uint8Array];
  const random = randomFrom(2);
  let forgotten = 0;
  for (let run = 0; run < 80; run++) {
    const broken = payload.slice();
    // In its header, and in the lengths and units.
    broken[16 + Math.floor(20 * random())]! ^= 1 << (run & 7);
    broken[Math.floor((0.9 + 0.1 * random()) * broken.length)]! ^= 1;
    const decoder = embedded.createDecoder(request, {});
    const out = new Float32Array(values.length);
    try {
      decoder.addFragment(0, broken);
      decoder.reconstruct(out);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    if (!decoder.addFragment(0, payload)) continue;
    forgotten += 1;
    decoder.reconstruct(out);
    assert.equal(out, values);
  }
  assert.ok(forgotten > 20, `${forgotten}`);
});

test('no cut and no flipped bit does anything but decode or throw a FormatError, of a version an UnsupportedError', () => {
  const small = WEIGHTS.subarray(0, 1500).with(3, Number.NaN);
  const {
    encoded: { payloads },
    request,
  } = encoded(4, small);
  const out = new Float32Array(small.length);
  const bytes = new Uint8Array(4 * small.length);
  const attempt = (index: number, payload: Uint8Array) => {
    const decoder = embedded.createDecoder(request, {});
    try {
      for (const [k, good] of payloads.entries()) decoder.addFragment(k, k === index ? payload : good);
    } catch (error) {
      const isVersion = payload.length > 0 && payload[0] !== payloads[index]![0];
      if (!(isVersion ? error instanceof UnsupportedError : error instanceof FormatError)) throw error;
    }
    for (const read of [() => decoder.reconstruct(out), () => decoder.reconstructElements!(bytes)]) {
      try {
        read();
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        // What was broken is forgotten: the rest can be read.
        assert.type(error.fragmentIndex, 'number');
        read();
      }
    }
  };
  payloads.forEach((payload, index) => {
    for (let cut = 0; cut < payload.length; cut += cut < 60 ? 1 : 97) {
      const decoder = embedded.createDecoder(request, {});
      for (const [k, good] of payloads.slice(0, index).entries()) decoder.addFragment(k, good);
      // The last unit ends with the payload, and a remainder is decoded when elements are read.
      throws(() => {
        decoder.addFragment(index, payload.subarray(0, cut));
        decoder.reconstructElements!(bytes);
      }, FormatError);
    }
    for (let bit = 0; bit < 8 * payload.length; bit += bit < 8 * 60 ? 1 : 61) {
      const flipped = payload.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      attempt(index, flipped);
    }
  });
  const payload = fc.tuple(fc.nat(3), fc.uint8Array({ maxLength: 80 }));
  fc.assert(
    fc.property(payload, ([index, noiseBytes]) => {
      const mixed = payloads[index]!.slice();
      mixed.set(noiseBytes.subarray(0, mixed.length));
      attempt(index, mixed);
      attempt(index, noiseBytes);
    }),
  );
});

test('fragments end within units, at their qualities', () => {
  const { payloads, cosines } = normalFragments(24000).encoded;
  const starts = payloads.map((payload, k) => parseFragmentStart(payload, k));
  assert.ok(starts.filter(({ groups }) => groups > 0).length >= 4, 'several are cut');
  for (const target of [0.5, 0.9, 0.97, 0.99, 0.997, 0.999]) {
    const reached = cosines!.find((cosine) => cosine >= target)!;
    assert.ok(1 - reached > 0.97 * (1 - target), `${reached} for ${target}`);
  }
});

test('a unit that is cut where it cannot be is refused', () => {
  // A tile of 125 groups.
  const { encoded, request } = normalFragments(8000);
  const { payloads } = encoded;
  const starts = payloads.map((payload, k) => parseFragmentStart(payload, k));
  const cut = starts.findIndex(({ groups }) => groups > 0);
  for (const groups of [125, 127]) {
    const other = payloads.map((payload) => payload.slice());
    // Behind the version and the number of units.
    assert.is(other[cut]![2], starts[cut]!.groups);
    other[cut]![2] = groups;
    const decoder = embedded.createDecoder(request, {});
    for (let k = 0; k < cut; k++) decoder.addFragment(k, other[k]!);
    throws(() => decoder.addFragment(cut, other[cut]!), FormatError, /cannot end there/);
    decoder.addFragment(cut, payloads[cut]!);
  }
});

test('part of a unit after the last one is refused', () => {
  const { encoded, request } = normalFragments(8000);
  const { payloads } = encoded;
  const decoder = embedded.createDecoder({ ...request, fragments: payloads.length + 2 }, {});
  for (const [k, payload] of payloads.entries()) decoder.addFragment(k, payload);
  const last = parseFragmentStart(payloads.at(-1)!, payloads.length - 1);
  const after = serializeFragment({ ...last, groups: 1 }, [new Uint8Array(9)]);
  throws(() => decoder.addFragment(payloads.length, after), FormatError, /do not continue/);
});

test('fragments end with the first group that reaches their quality, however much tiles differ', () => {
  const normal = normalFrom(2);
  // Of a tile, the last groups have most of the energy.
  const values = Float32Array.from(
    { length: 2 ** 16 },
    (_, i) => normal() * (1 + (i % 2 ** 14) / 2 ** 12) ** 2,
  );
  const { cosines } = encodeWith(embedded, f32Tensor([2 ** 16], values), {}, { fragments: 8 }).encoded;
  for (const target of [0.5, 0.8, 0.9, 0.97, 0.99, 0.997, 0.999]) {
    const reached = cosines.find((cosine) => cosine >= target)!;
    assert.ok(1 - reached > 0.995 * (1 - target), `${reached} for ${target}`);
  }
});

test('versions 1 to 5, which were never released, are refused with what to do; others without', () => {
  const { encoded, request } = encodeWith(embedded, f32Tensor([100], noise(100)), {}, { fragments: 2 });
  for (const [version, message] of [
    [1, /version 1 was never released; encode the tensor again/],
    [2, /version 2 was never released; encode the tensor again/],
    [3, /version 3 was never released; encode the tensor again/],
    [4, /version 4 was never released; encode the tensor again/],
    [5, /version 5 was never released; encode the tensor again/],
    [7, /unsupported version/],
  ] as const) {
    const other = encoded.payloads[0]!.slice();
    other[0] = version;
    const add = () => embedded.createDecoder(request, {}).addFragment(0, other);
    assert.is(throws(add, UnsupportedError, message).fragmentIndex, 0);
  }
});

function normalFragments(length: number) {
  const values = Float32Array.from({ length }, normalFrom(1));
  return encodeWith(embedded, f32Tensor([length], values), {}, { fragments: 8 });
}

/** What fragments 0 to `count` - 1 reconstruct when they are added together. */
function together(
  { encoded: { payloads }, request }: Coded,
  kernels: Coded['request']['kernels'],
  count: number,
) {
  const decoder = embedded.createDecoder({ ...request, kernels }, {});
  finish(decoder.together!(payloads.slice(0, count)).steps);
  const out = new Float32Array(request.rows * request.cols);
  decoder.reconstruct(out);
  return { decoder, out };
}

test('fragments that are added together make what they make one by one', () => {
  const tensors = [
    f32Tensor([20000], WEIGHTS),
    // Units of one tile, units with scales and in parts, and many zeros, which planes have codes of their own for.
    f32Tensor([64, 64], trainedLike([64, 64], 1)),
    f32Tensor([300, 257], trainedLike([300, 257], 2)),
    f32Tensor(
      [150, 150],
      noise(22500).map((value, i) => (i % 7 === 0 ? value ** 3 : 0)),
    ),
  ];
  for (const tensor of tensors) {
    const coded = encodeWith(embedded, tensor, {}, { fragments: 10 });
    const expected = prefixes(coded);
    for (const kernels of [wasm, portableKernels]) {
      for (let count = 1; count <= expected.length; count++) {
        const made = together(coded, kernels, count);
        assert.equal(made.out, expected[count - 1], `${tensor.shape} ${count}`);
        // Others follow as ever.
        for (let index = count; index < expected.length; index++) {
          made.decoder.addFragment(index, coded.encoded.payloads[index]!);
        }
        made.decoder.reconstruct(made.out);
        assert.equal(made.out, expected.at(-1));
      }
    }
  }
});

test('fragments of which one is malformed are not added together, and the decoder stays as it was', () => {
  const coded = encoded();
  const { payloads } = coded.encoded;
  const expected = prefixes(coded);
  for (let damaged = 0; damaged < payloads.length; damaged++) {
    for (const change of [
      (payload: Uint8Array) => payload.subarray(0, payload.length - 1),
      (payload: Uint8Array) => payload.with(0, 77),
    ]) {
      const broken = payloads.map((payload, index) => (index === damaged ? change(payload) : payload));
      const decoder = embedded.createDecoder({ ...coded.request, kernels: wasm }, {});
      try {
        finish(decoder.together!(broken).steps);
        // Of what only completes weights, the content is not looked at before they are.
        assert.is(damaged, payloads.length - 1);
      } catch (error) {
        assert.ok(error instanceof FormatError || error instanceof UnsupportedError, `${error}`);
        assert.is(decoder.quality.fraction, 0);
      }
      if (decoder.quality.fraction > 0) continue;
      for (const [index, payload] of payloads.entries()) decoder.addFragment(index, payload);
      const out = new Float32Array(WEIGHTS.length);
      decoder.reconstruct(out);
      assert.equal(out, expected.at(-1));
    }
  }
});

test.run();
