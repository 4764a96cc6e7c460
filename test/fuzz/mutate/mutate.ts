import type { Random } from '../../helpers/random.js';
import type { Anatomy, Part } from '../target.js';
import { changeField, flipBit, mutateBytes } from './bytes.js';
import { mutateJson } from './json.js';

/** Inputs do not grow beyond this. */
export const MAX_INPUT = 2 ** 16;

/** A bit or two, as a disk or a wire flips them: no checksum can miss it, and none is put right. */
export function damage(input: Uint8Array, random: Random): Uint8Array {
  let bytes = input;
  for (let count = random.small(3); count > 0; count--) bytes = flipBit(bytes, random);
  return bytes;
}

/**
 * Changes parts of an input and puts it together again, mostly with sizes and checksums that are right, so that what is
 * behind them is reached.
 * @param other another input, of which parts may be taken
 */
export function mutate(anatomy: Anatomy, input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let whole = input;
  if (!random.once(8)) {
    let parts = [...anatomy.split(input)];
    const donors = anatomy.split(other);
    for (let count = random.small(4); count > 0; count--) parts = mutateParts(parts, donors, random);
    whole = joined(anatomy, parts, !random.once(3)) ?? input;
  }
  return bounded(whole === input || random.once(8) ? mutateBytes(whole, random, [other]) : whole);
}

/** Undefined for parts that make no sense together: some anatomies do not know what to do with them. */
export function joined(anatomy: Anatomy, parts: readonly Part[], sizes: boolean): Uint8Array | undefined {
  try {
    return anatomy.join(parts, sizes);
  } catch {
    return undefined;
  }
}

function bounded(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, MAX_INPUT);
}

function mutateParts(parts: Part[], donors: readonly Part[], random: Random): Part[] {
  if (parts.length === 0) return parts;
  const at = random.below(parts.length);
  const part = parts[at]!;
  const alike = donors.filter(({ kind }) => kind === part.kind);
  switch (random.below(16)) {
    case 0:
      return parts.toSpliced(at, 1);
    case 1:
      return parts.toSpliced(at, 0, part);
    case 2: {
      const to = random.below(parts.length);
      return parts.with(at, parts[to]!).with(to, part);
    }
    case 3:
      return alike.length === 0 ? parts : parts.with(at, random.pick(alike));
    default:
      return parts.with(at, { ...part, bytes: mutatePart(part, alike, random) });
  }
}

function mutatePart({ bytes, fields, json }: Part, alike: readonly Part[], random: Random): Uint8Array {
  const others = alike.map((part) => part.bytes);
  if (json && !random.once(6)) return mutateJson(bytes, random, others);
  if (fields !== undefined && fields.length > 0 && !random.once(3)) {
    return changeField(bytes, random.pick(fields), random, fields);
  }
  return mutateBytes(bytes, random, others);
}
