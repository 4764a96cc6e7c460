import { loadDecodings } from '../../../src/encodings/decodings.js';
import { EmbeddedDecoder } from '../../../src/encodings/embedded/decoder.js';
import { embedded } from '../../../src/encodings/embedded/embedded.js';
import type { Kernels } from '../../../src/kernels/kernels.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { byteLengthOf, DTYPES, type DType } from '../../../src/tensor/dtype.js';
import { fromFloat32 } from '../../../src/tensor/numbers.js';
import { concatBytes } from '../../helpers/bytes.js';
import { noise } from '../../helpers/random.js';
import type { Arena } from '../arena.js';
import type { Reading, Seed, Target } from '../target.js';
import { embeddedAnatomy } from './embeddedAnatomy.js';
import { readU32, u32 } from './numbers.js';

/**
 * Payloads of the embedded encoding, without the container. An input is the code of a dtype, the number of elements, and
 * the fragments, each after its length, all u32.
 */

const MAX_ELEMENTS = 2 ** 17 + 100;

interface Fields {
  readonly dtype: DType;
  readonly elements: number;
  readonly fragments: readonly Uint8Array[];
}

export async function embeddedTargets(): Promise<Target[]> {
  const [wasm] = await Promise.all([loadKernels(), loadDecodings(['embedded'])]);
  return [
    {
      name: 'embedded',
      seeds: seeds(),
      anatomy: embeddedAnatomy,
      ways: [
        { name: 'wasm', read: (input, arena) => decode(input, wasm, arena) },
        { name: 'portable', read: (input, arena) => decode(input, portableKernels, arena) },
        { name: 'last fragment first', every: 2, read: (input, arena) => decodeReversed(input, wasm, arena) },
        { name: 'by ranges', every: 4, read: (input, arena) => decodeRanges(input, wasm, arena) },
      ],
      memory: (input) => 2 ** 22 + 48 * MAX_ELEMENTS + 64 * input.length,
    },
  ];
}

function fieldsIn(input: Uint8Array): Fields {
  const fragments: Uint8Array[] = [];
  for (let at = 8; at + 4 <= input.length; ) {
    const length = readU32(input, at);
    fragments.push(input.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return {
    dtype: DTYPES[readU32(input, 0) % DTYPES.length]!,
    elements: readU32(input, 4) % MAX_ELEMENTS,
    fragments,
  };
}

function decoderOf(
  { dtype, elements, fragments }: Fields,
  kernels: Kernels,
  range?: { start: number; end: number },
) {
  const request = {
    rows: 1,
    cols: elements,
    dtype,
    fragments: fragments.length,
    seed: 0n,
    norm: undefined,
    kernels,
  };
  return new EmbeddedDecoder({ ...request, range });
}

/** Numbers and elements after each fragment; the elements after the last. */
function decode(input: Uint8Array, kernels: Kernels, arena: Arena): Reading {
  const fields = fieldsIn(input);
  const decoder = decoderOf(fields, kernels);
  const numbers = arena.floats(fields.elements);
  const out = arena.bytes(byteLengthOf(fields.dtype, fields.elements));
  const seen: Uint8Array[] = [];
  fields.fragments.forEach((fragment, i) => {
    decoder.addFragment(i, fragment);
    if (i > 2 && i < fields.fragments.length - 1) return;
    decoder.reconstruct(numbers);
    seen.push(new Uint8Array(numbers.slice().buffer));
  });
  decoder.reconstructElements(out);
  return { facts: `${fields.dtype} ${fields.elements}`, content: concatBytes([...seen, out]) };
}

function decodeReversed(input: Uint8Array, kernels: Kernels, arena: Arena): Reading {
  const fields = fieldsIn(input);
  const decoder = decoderOf(fields, kernels);
  for (let i = fields.fragments.length - 1; i >= 0; i--) decoder.addFragment(i, fields.fragments[i]!);
  // Where the others reconstruct after each fragment, a fragment may be found broken, and dropped.
  decoder.reconstruct(arena.floats(fields.elements));
  decoder.reconstructElements(arena.bytes(byteLengthOf(fields.dtype, fields.elements)));
  return { facts: `${fields.dtype} ${fields.elements}` };
}

/** Each 2^16 elements by a decoder of their own. */
function decodeRanges(input: Uint8Array, kernels: Kernels, arena: Arena): Reading {
  const fields = fieldsIn(input);
  for (let start = 0; start === 0 || start < fields.elements; start += 2 ** 16) {
    const end = Math.min(start + 2 ** 16, fields.elements);
    const decoder = decoderOf(fields, kernels, { start, end });
    fields.fragments.forEach((fragment, i) => void decoder.addFragment(i, fragment));
    decoder.reconstruct(arena.floats(end - start));
    decoder.reconstructElements(arena.bytes(byteLengthOf(fields.dtype, end - start)));
  }
  return { facts: `${fields.dtype} ${fields.elements}` };
}

function seeds(): Seed[] {
  return [
    seed('tiny', 'F32', noise(12), 2),
    seed(
      'f32',
      'F32',
      noise(700).map((value) => value ** 5),
      5,
    ),
    seed('bf16', 'BF16', noise(1200), 4),
    seed(
      'f16',
      'F16',
      noise(600).map((value) => value / 1000),
      3,
    ),
    seed(
      'int8',
      'I8',
      noise(500).map((value) => 100 * value),
      3,
    ),
    seed(
      'int4',
      'I4',
      noise(301).map((value) => 7 * value),
      2,
    ),
    seed(
      'sparse',
      'BF16',
      noise(3000).map((value) => (Math.abs(value) > 0.9 ? value : 0)),
      3,
    ),
    seed(
      'exceptions',
      'F32',
      noise(150).with(3, Number.NaN).with(70, Number.NEGATIVE_INFINITY).with(9, -0),
      3,
    ),
    seed('zeros', 'F32', new Float32Array(70_000), 2),
    seed('one', 'I8', Float32Array.of(3), 1),
    seed('none', 'F32', new Float32Array(0), 1),
  ];
}

function seed(name: string, dtype: DType, values: Float32Array, fragments: number): Seed {
  const tensor = { dtype, shape: [values.length], data: fromFloat32(dtype, values) };
  const request = { rows: 1, cols: values.length, tensor, fragments, seed: 0n, kernels: portableKernels };
  const { payloads } = embedded.encode(request, {});
  const parts = payloads.flatMap((payload) => [u32(payload.length), payload]);
  const bytes = concatBytes([u32(DTYPES.indexOf(dtype)), u32(values.length), ...parts]);
  return { name, bytes, sealed: false };
}
