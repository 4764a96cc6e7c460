import { readSafetensors, readSafetensorsHeader } from '../../../readers/safetensors.js';
import { bytesSource } from '../../../sources/bytes.js';
import type { SafetensorsHeader } from '../../../src/safetensors/header.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { serializeSafetensorsHeader } from '../../../src/safetensors/serialize.js';
import { concatBytes } from '../../helpers/bytes.js';
import { HOSTILE_TENSORS, modelOf } from '../../helpers/models.js';
import { safetensorsOf } from '../../helpers/safetensors.js';
import { type Anatomy, Cutter, fieldsOf, type Seed, type Target } from '../target.js';
import { readU32, write } from './numbers.js';

/** Plain safetensors files: header and tensors. Nothing in them is under a checksum. */

const LIMITS = { limits: { headerBytes: 2 ** 16, tensorBytes: 2 ** 18, tensors: 2 ** 10 } } as const;

const anatomy: Anatomy = {
  split(input) {
    const cutter = new Cutter(input);
    const length = cutter.take('length', 8, { fields: fieldsOf(0, 8) });
    cutter.take('header', readU32(length, 0), { json: true });
    cutter.take('data', cutter.left);
    return cutter.parts;
  },
  join(parts, sizes) {
    const copies = parts.map(({ kind, bytes }) => ({ kind, bytes: new Uint8Array(bytes) }));
    const length = copies.find(({ kind }) => kind === 'length')?.bytes;
    const header = copies.find(({ kind }) => kind === 'header')?.bytes;
    if (sizes && length && header) write(length, 0, 8, header.length);
    return concatBytes(copies.map(({ bytes }) => bytes));
  },
};

export async function safetensorsTargets(): Promise<Target[]> {
  return [
    {
      name: 'safetensors',
      seeds: seeds(),
      anatomy,
      ways: [
        {
          name: 'parsed',
          read: (input) => ({
            facts: describe(parseSafetensorsHeader(input, { ...LIMITS, fileSize: input.length })),
          }),
        },
        {
          name: 'read',
          read: async (input) => ({
            facts: describe(await readSafetensorsHeader(bytesSource(input), LIMITS)),
          }),
        },
        {
          name: 'written again',
          read: async (input) => ({ facts: describe(await again(input)) }),
        },
        {
          name: 'tensors',
          every: 2,
          async read(input) {
            const header = parseSafetensorsHeader(input, { ...LIMITS, fileSize: input.length });
            // Tensors beyond the limit are refused, not their header.
            if (header.tensors.some(({ byteLength }) => byteLength > LIMITS.limits.tensorBytes)) return {};
            await readSafetensors(bytesSource(input), LIMITS);
            return { facts: describe(header) };
          },
        },
      ],
      memory: (input) => 2 ** 20 + 64 * input.length,
    },
  ];
}

/** What is read can be written, and is then read as the same. */
async function again(input: Uint8Array): Promise<SafetensorsHeader> {
  const { tensors, metadata } = parseSafetensorsHeader(input, { ...LIMITS, fileSize: input.length });
  const { bytes } = serializeSafetensorsHeader(tensors, metadata);
  return parseSafetensorsHeader(bytes);
}

function describe({ metadata, tensors }: SafetensorsHeader): string {
  const shown = tensors.map(({ name, dtype, shape, byteLength }) => [name, dtype, shape, byteLength]);
  return JSON.stringify([[...metadata], shown]);
}

function seeds(): Seed[] {
  const seed = (name: string, bytes: Uint8Array): Seed => ({ name, bytes, sealed: false });
  return [
    seed('one', modelOf([{ name: 'w', dtype: 'F32', shape: [2, 2] }])),
    seed('none', modelOf([])),
    seed('hostile-names', modelOf(HOSTILE_TENSORS.filter(({ name }) => !/counts|large/.test(name)))),
    seed('metadata', modelOf([{ name: 'a', dtype: 'I64', shape: [3] }], new Map([['format', 'pt']]))),
    seed('spaces', safetensorsOf('{ "a" : { "shape":[ ], "dtype":"U8", "data_offsets":[0,1] } }\t\r\n')),
    seed(
      'narrow',
      modelOf([
        { name: 'x', dtype: 'F4', shape: [2, 3] },
        { name: 'y', dtype: 'F6_E2M3', shape: [4] },
      ]),
    ),
  ].map((one) =>
    one.name === 'spaces' ? { ...one, bytes: concatBytes([one.bytes, Uint8Array.of(7)]) } : one,
  );
}
