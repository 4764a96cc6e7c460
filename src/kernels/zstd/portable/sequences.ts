import { corrupt } from '../corrupt.js';
import { LITERALS_LENGTH, MATCH_LENGTH, OFFSET, type SequenceCodes } from '../tables.js';
import type { Input } from './bits.js';
import { execute, lastLiterals, type SequenceMemory } from './execute.js';
import { makeStates, oneState, readDistribution, type States } from './fse.js';

/**
 * The sequences section of a compressed block (RFC 8878, section 3.1.1.3.2), decoded and executed one by one. `out`
 * ends where the block's output must end at the latest.
 * @returns the end of the block's output
 * @throws CodecError
 */
export function runSequences(
  input: Input,
  start: number,
  end: number,
  literals: Uint8Array,
  memory: SequenceMemory,
  out: Uint8Array,
  to: number,
): number {
  const header = readHeader(input.bytes, start, end);
  if (header.count === 0) return lastLiterals(literals, out, to, start);
  let at = header.end;
  const kinds = [
    ['literalsLength', LITERALS_LENGTH, header.modes >> 6],
    ['offset', OFFSET, (header.modes >> 4) & 3],
    ['matchLength', MATCH_LENGTH, (header.modes >> 2) & 3],
  ] as const;
  for (const [kind, codes, mode] of kinds) {
    const described = readStates(input.bytes, at, end, mode, codes, memory[kind]);
    memory[kind] = described.states;
    at = described.end;
  }
  return execute(input, at, end, header.count, literals, memory, out, to);
}

function readHeader(data: Uint8Array, start: number, end: number) {
  if (start >= end) throw corrupt('its sequences are truncated', end);
  let count = data[start]!;
  let at = start + 1;
  if (count === 255) {
    count = (data[at]! | (data[at + 1]! << 8)) + 0x7f00;
    at += 2;
  } else if (count >= 128) {
    count = ((count - 128) << 8) + data[at]!;
    at += 1;
  }
  // 0 may be written in two bytes as well. Without sequences, nothing follows.
  if (count === 0 && at === end) return { count, modes: 0, end };
  if (count === 0 && at < end) throw corrupt('bytes follow its literals', at);
  if (at >= end) throw corrupt('its sequences are truncated', end);
  const modes = data[at]!;
  if ((modes & 3) !== 0) throw corrupt('reserved bits of its sequences are set', at);
  return { count, modes, end: at + 1 };
}

function readStates(
  data: Uint8Array,
  start: number,
  end: number,
  mode: number,
  { counts, bits, log, maxLog }: SequenceCodes,
  known: States | undefined,
): { states: States; end: number } {
  if (mode === 0) return { states: makeStates({ counts, log }, start), end: start };
  if (mode === 1) {
    if (start >= end) throw corrupt('its sequences are truncated', end);
    if (data[start]! >= bits.length) throw corrupt('a sequence has an unknown code', start);
    return { states: oneState(data[start]!), end: start + 1 };
  }
  if (mode === 2) {
    const distribution = readDistribution(data, start, end, maxLog, bits.length);
    return { states: makeStates(distribution, start), end: distribution.end };
  }
  if (known === undefined) throw corrupt('no block before it has this table', start);
  return { states: known, end: start };
}
