import type { Kernels } from '../../../src/kernels/kernels.js';
import { loadKernels } from '../../../src/kernels/loadKernels.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { dequantize } from '../../../src/tensor/dequantize.js';
import {
  groupScaleCount,
  parseQuantizationMetadata,
  type QuantizationMetadata,
} from '../../../src/tensor/quantization.js';
import { serializeQuantizationMetadata } from '../../../src/tensor/serializeQuantization.js';
import { concatBytes } from '../../helpers/bytes.js';
import { pseudoRandomBytes } from '../../helpers/random.js';
import type { Arena } from '../arena.js';
import { Cutter, fieldsOf, type Reading, type Seed, type Target } from '../target.js';
import { readU16 } from './numbers.js';

/** Quantization metadata, 8 bytes, and the integers that it describes; scales of groups are made from these. */

export async function quantizationTargets(): Promise<Target[]> {
  const wasm = await loadKernels();
  return [
    {
      name: 'quantization',
      seeds: seeds(),
      anatomy: {
        split(input) {
          const cutter = new Cutter(input);
          cutter.take('metadata', 8, { fields: fieldsOf(0, 1, 1, 2, 1, 2, 1) });
          cutter.take('values', cutter.left);
          return cutter.parts;
        },
        join: (parts) => concatBytes(parts.map(({ bytes }) => bytes)),
      },
      ways: [
        { name: 'wasm', read: (input, arena) => read(input, wasm, arena) },
        { name: 'portable', read: (input, arena) => read(input, portableKernels, arena) },
      ],
      memory: (input) => 2 ** 20 + 64 * input.length,
    },
  ];
}

function read(input: Uint8Array, kernels: Kernels, arena: Arena): Reading {
  const metadata = parseQuantizationMetadata(input);
  const again = parseQuantizationMetadata(serializeQuantizationMetadata(metadata));
  if (JSON.stringify(again) !== JSON.stringify(metadata)) throw new Error('written as something else');
  const values = new Int8Array(input.subarray(8));
  const groups = groupScaleCount(metadata, values.length);
  const groupScales = Uint16Array.from({ length: groups }, (_, i) => readU16(input, 8 + i));
  const out = arena.floats(values.length);
  dequantize(values, { metadata, groupScales }, out, kernels);
  return { facts: JSON.stringify(metadata), content: new Uint8Array(canonicalNaNs(out).buffer) };
}

/** The bits of a NaN depend on the engine. */
function canonicalNaNs(values: Float32Array): Float32Array {
  return values.map((value) => (Number.isNaN(value) ? Number.NaN : value));
}

function seeds(): Seed[] {
  const seed = (name: string, metadata: QuantizationMetadata, values: number): Seed => ({
    name,
    bytes: concatBytes([serializeQuantizationMetadata(metadata), pseudoRandomBytes(values)]),
    sealed: false,
  });
  const whole = { perGroupScales: false, scaleBits: 0x3c00, groupSize: 0 } as const;
  const groups = { perGroupScales: true, scaleBits: 0 } as const;
  return [
    seed('symmetric', { ...whole, scheme: 'symmetric-int8', zeroPoint: 0 }, 30),
    seed('asymmetric', { ...whole, scheme: 'asymmetric-int8', zeroPoint: -7 }, 100),
    seed('groups', { ...groups, scheme: 'gptq-int4', zeroPoint: 8, groupSize: 32 }, 200),
    seed('odd-groups', { ...groups, scheme: 'awq-int4', zeroPoint: 1, groupSize: 7 }, 65),
    seed('none', { ...whole, scheme: 'none', zeroPoint: 0 }, 0),
  ];
}
