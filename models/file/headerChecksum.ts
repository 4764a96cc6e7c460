import { ChecksumError, FormatError } from '../../src/errors.js';
import { xxh3 } from '../../src/kernels/xxh3/checksum.js';
import type { Hash } from '../../src/kernels/xxh3/interface.js';
import { SAFETENSORS_LENGTH_SIZE } from '../../src/safetensors/header.js';
import { formatHash, METADATA_PREFIX } from './plan.js';

/**
 * The header of a model file contains its own checksum at a fixed offset: it is the first member of the metadata, and
 * the metadata are the first member of the header. The checksum is the XXH3-64 of the header's JSON, padding included,
 * with zeros in place of its digits.
 */
export const CHECKSUM_KEY = `${METADATA_PREFIX}checksum`;
export const NO_CHECKSUM = '0000000000000000';

const PREFIX = new TextEncoder().encode(`{"__metadata__":{"${CHECKSUM_KEY}":"`);
const DIGITS_OFFSET = SAFETENSORS_LENGTH_SIZE + PREFIX.length;

/** True when a safetensors file that starts with these bytes is a model file. */
export function isModelFileHeader(bytes: Uint8Array): boolean {
  return PREFIX.every((byte, i) => bytes[SAFETENSORS_LENGTH_SIZE + i] === byte);
}

/** Puts the checksum into a serialized header that was made with {@link NO_CHECKSUM}. */
export function sealHeader(bytes: Uint8Array): void {
  bytes.set(new TextEncoder().encode(formatHash(checksumOf(bytes, xxh3))), DIGITS_OFFSET);
}

/**
 * @param bytes length and JSON: all bytes before the tensors
 * @returns the checksum, 16 hexadecimal digits
 * @throws ChecksumError, FormatError
 */
export function verifyHeader(bytes: Uint8Array, hash: Hash): string {
  const digits = new TextDecoder().decode(bytes.subarray(DIGITS_OFFSET, DIGITS_OFFSET + NO_CHECKSUM.length));
  if (!isModelFileHeader(bytes) || !/^[0-9a-f]{16}$/.test(digits)) {
    throw new FormatError('Cannot read the model file: no header checksum in its place', {
      offset: DIGITS_OFFSET,
    });
  }
  const expected = BigInt(`0x${digits}`);
  const actual = checksumOf(bytes, hash);
  if (actual !== expected)
    throw new ChecksumError('Cannot use the header of the model file: wrong checksum', { expected, actual });
  return digits;
}

function checksumOf(bytes: Uint8Array, hash: Hash): bigint {
  // Not slice(): on a Node Buffer that is the caller's own memory.
  const json = new Uint8Array(bytes.subarray(SAFETENSORS_LENGTH_SIZE));
  json.fill(0x30, PREFIX.length, PREFIX.length + NO_CHECKSUM.length);
  return hash(json);
}
