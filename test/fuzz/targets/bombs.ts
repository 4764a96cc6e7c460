import { HctReader } from '../../../readers/hctReader.js';
import { HoloTensorReader } from '../../../readers/holotensorReader.js';
import { bytesSource } from '../../../sources/bytes.js';
import type { HolographicEncoding } from '../../../src/encodings/encoding.js';
import {
  HOLO_FLAG_FRAGMENT_CHECKSUMS,
  HOLO_FLAG_HEADER_CHECKSUM,
} from '../../../src/holotensor/constants.js';
import type { HoloTensorHeader } from '../../../src/holotensor/header.js';
import { packHoloTensor } from '../../../src/holotensor/pack.js';
import { DEFAULT_QUALITY_CURVES } from '../../../src/holotensor/quality.js';
import { portableKernels } from '../../../src/kernels/portableKernels.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { concatBytes } from '../../helpers/bytes.js';
import type { Reading, Seed, Target } from '../target.js';
import { isHct, tensorFileAnatomy, tensorFileSeeds } from './tensorFiles.js';

/**
 * Files of one tensor with the limits that a caller has who gives none: a few bytes may claim gigabytes, and are held to
 * what `docs/security.md` says that they can cause.
 */

/** Memory that needs no bytes received, and what a byte pays for. */
const FREE_BYTES = 2 ** 26;
const RATIO = 1024;

export async function bombTargets(): Promise<Target[]> {
  return [
    {
      name: 'default-limits',
      seeds: [...(await tensorFileSeeds()), ...bombs()],
      anatomy: tensorFileAnatomy,
      ways: [{ name: 'read', read }],
      // What is paid for, once in arrays and once in the memory of the kernels.
      memory: (input) => 2 * (FREE_BYTES + RATIO * input.length) + 2 ** 22,
      // Adding and reconstructing may each take 16 steps for each byte, of a nanosecond on a machine without other work.
      seconds: 10,
    },
  ];
}

async function read(input: Uint8Array): Promise<Reading> {
  const Reader = isHct(input) ? HctReader : HoloTensorReader;
  const reader = await Reader.open(bytesSource(input));
  const { dtype, shape, data } = await reader.readAll();
  return { facts: `${dtype} ${shape}`, content: viewBytes(data) };
}

/** Files of a hundred bytes and tensors of megabytes, as large as just accepted. Primes make transforms costly. */
function bombs(): Seed[] {
  const words = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
  const coefficient = concatBytes([words(1, 0, 5), new Uint8Array(Float32Array.of(2).buffer)]);
  const projection = concatBytes([words(2, 0, 0), new Uint8Array(Float32Array.of(1, 2).buffer)]);
  return [
    bomb('nothing', 'spectral', 2 ** 20 - 3, words(0, 0)),
    bomb('one-coefficient', 'spectral', 2 ** 17 - 1, coefficient),
    bomb('two-projections', 'random-projection', 2 ** 20 - 3, projection),
  ];
}

function bomb(name: string, encoding: HolographicEncoding, elements: number, data: Uint8Array): Seed {
  const header: HoloTensorHeader = {
    encoding,
    compression: 'lz4',
    flags: HOLO_FLAG_HEADER_CHECKSUM | HOLO_FLAG_FRAGMENT_CHECKSUMS,
    totalFragments: 1,
    originalSize: 4 * elements,
    seed: 0n,
    dtype: 'F32',
    shape: [1, elements],
    qualityCurve: DEFAULT_QUALITY_CURVES[encoding],
    norm: undefined,
    quantization: undefined,
  };
  const bytes = concatBytes(packHoloTensor(header, [{ index: 0, data }], { kernels: portableKernels }));
  return { name: `bomb-${name}`, bytes, sealed: true };
}
