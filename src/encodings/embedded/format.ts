import { concatenate } from '../../bytes/binary.js';
import { FieldReader } from '../../bytes/fieldReader.js';
import { pushVarint } from '../../bytes/varint.js';
import { UnsupportedError } from '../../errors.js';
import { inRange } from './inRange.js';
import { packNumbers, readNumbers } from './signedNumbers.js';
import { MAX_TILE_LOG2, pushStream, readStream, type StreamHeader } from './streamHeader.js';
import type { FragmentUnits } from './unitList.js';

/** The bytes of a fragment, as `docs/formats/embedded.md` describes them. */

const EMBEDDED_VERSION = 6;
const MOST_GROUPS = 2 ** (MAX_TILE_LOG2 - 6);

export interface FragmentHeader {
  /** 0, or how many groups of its tile the last unit has come to; the next fragment goes on there. */
  readonly groups: number;
  /** Of the reconstruction from this fragment and those before it, with the tensor. */
  readonly cosine: number;
  /** Only in fragment 0. */
  readonly stream: StreamHeader | undefined;
}

/** Steps that distances from a cosine of 1 are rounded down to. */
const COSINE_STEPS = 2 ** 24;

export function serializeFragment(header: FragmentHeader, units: readonly Uint8Array[]): Uint8Array {
  const head = serializeFragmentHead(
    header,
    units.map(({ length }) => length),
  );
  return concatenate([head, ...units]);
}

/** A fragment up to its units, from the lengths of these, or of their parts. The last one ends with the fragment. */
export function serializeFragmentHead(header: FragmentHeader, lengths: readonly number[]): Uint8Array {
  const head: number[] = [EMBEDDED_VERSION];
  pushVarint(head, lengths.length);
  pushVarint(head, header.groups);
  // Rounded down, so that the cosine that was aimed at is reached; but 1 is left to what is exact.
  const steps = Math.floor(COSINE_STEPS * (1 - header.cosine));
  pushVarint(head, header.cosine < 1 ? Math.max(1, steps) : 0);
  if (header.stream !== undefined) pushStream(head, header.stream);
  const stored = lengths.slice(0, -1);
  for (const byte of packNumbers(stored.map((length, i) => length - (lengths[i - 1] ?? 0)))) head.push(byte);
  return Uint8Array.from(head);
}

/** The header of a fragment, and how many units, or parts of units, follow. */
export interface FragmentStart extends FragmentHeader {
  readonly count: number;
  /** Where their lengths begin. */
  readonly lengthsAt: number;
}

/** @throws FormatError when the header is invalid, UnsupportedError for another version */
export function parseFragmentStart(payload: Uint8Array, index: number): FragmentStart {
  return readStart(new FieldReader(payload, 'embedded fragment'), index);
}

function readStart(fields: FieldReader, index: number): FragmentStart {
  const version = fields.u8();
  if (version !== EMBEDDED_VERSION) {
    const reason =
      version > 0 && version < EMBEDDED_VERSION
        ? `version ${version} was never released; encode the tensor again`
        : 'unsupported version';
    throw new UnsupportedError(`Cannot read the embedded fragment: ${reason}`, {
      expected: EMBEDDED_VERSION,
      actual: version,
    });
  }
  const count = fields.varint();
  const groups = inRange('part of a unit', fields.varint(), 0, count === 0 ? 0 : MOST_GROUPS);
  const cosine = 1 - inRange('cosine', fields.varint(), 0, COSINE_STEPS) / COSINE_STEPS;
  const stream = index === 0 ? readStream(fields) : undefined;
  return { groups, cosine, stream, count, lengthsAt: fields.position };
}

/**
 * Where the units of a fragment are.
 * @throws FormatError when the structure is invalid; the content of the units is not checked
 */
export function parseUnits(payload: Uint8Array, { count, lengthsAt }: FragmentStart): FragmentUnits {
  const fields = new FieldReader(payload, 'embedded fragment');
  fields.position = lengthsAt;
  const differences = readNumbers(fields, Math.max(0, count - 1));
  const bounds = new Float64Array(count + 1);
  let length = 0;
  for (let i = 0; i < differences.length; i++) {
    length += differences[i]!;
    bounds[i] = fields.skip(inRange('length of a unit', length, 0, payload.length));
  }
  if (count > 0) bounds[count - 1] = fields.position;
  else inRange('length', payload.length, fields.position, fields.position);
  bounds[count] = payload.length;
  return { payload, bounds };
}
