import { avalanche, foldedProduct, PRIME64_1, PRIME64_2, PRIME64_3, SECRET } from './parts.js';

const PRIME_MX2 = 0x9fb21c651e98df25n;
const MASK64 = 0xffff_ffff_ffff_ffffn;
const SCRATCH = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/** XXH3-64 of at most 240 bytes, such as headers and small blocks, for which BigInt is fast enough. */
export function xxh3Short(data: DataView): bigint {
  const length = data.byteLength;
  if (length === 0) return avalanche64(secret64(56) ^ secret64(64));
  if (length <= 3) return hash1to3(data);
  if (length <= 8) return hash4to8(data);
  if (length <= 16) return hash9to16(data);
  return length <= 128 ? hash17to128(data) : hash129to240(data);
}

function hash1to3(data: DataView): bigint {
  const length = data.byteLength;
  const combined =
    (data.getUint8(0) << 16) | (data.getUint8(length >> 1) << 24) | data.getUint8(length - 1) | (length << 8);
  const flip = SECRET.getUint32(0, true) ^ SECRET.getUint32(4, true);
  return avalanche64(BigInt((combined ^ flip) >>> 0));
}

function hash4to8(data: DataView): bigint {
  const length = data.byteLength;
  const first = BigInt(data.getUint32(0, true));
  const last = BigInt(data.getUint32(length - 4, true));
  let hash = (last | (first << 32n)) ^ secret64(8) ^ secret64(16);
  hash ^= rotateLeft(hash, 49n) ^ rotateLeft(hash, 24n);
  hash = (hash * PRIME_MX2) & MASK64;
  hash ^= (hash >> 35n) + BigInt(length);
  hash = (hash * PRIME_MX2) & MASK64;
  return hash ^ (hash >> 28n);
}

function hash9to16(data: DataView): bigint {
  const length = data.byteLength;
  const low = data.getBigUint64(0, true) ^ secret64(24) ^ secret64(32);
  const high = data.getBigUint64(length - 8, true) ^ secret64(40) ^ secret64(48);
  return avalanche(BigInt(length) + swapBytes(low) + high + foldedProduct(low, high));
}

function hash17to128(data: DataView): bigint {
  const length = data.byteLength;
  let sum = BigInt(length) * PRIME64_1;
  // Pairs of 16 bytes from both ends inwards; they may overlap in the middle.
  for (let pair = (length - 1) >> 5; pair >= 0; pair--) {
    sum += mix16(data, 16 * pair, 32 * pair);
    sum += mix16(data, length - 16 * (pair + 1), 32 * pair + 16);
  }
  return avalanche(sum);
}

function hash129to240(data: DataView): bigint {
  const length = data.byteLength;
  const rounds = length >> 4;
  let sum = BigInt(length) * PRIME64_1;
  for (let i = 0; i < 8; i++) sum += mix16(data, 16 * i, 16 * i);
  sum = avalanche(sum);
  for (let i = 8; i < rounds; i++) sum += mix16(data, 16 * i, 16 * (i - 8) + 3);
  return avalanche(sum + mix16(data, length - 16, 136 - 17));
}

function mix16(data: DataView, at: number, secretAt: number): bigint {
  return foldedProduct(
    data.getBigUint64(at, true) ^ secret64(secretAt),
    data.getBigUint64(at + 8, true) ^ secret64(secretAt + 8),
  );
}

function secret64(at: number): bigint {
  return SECRET.getBigUint64(at, true);
}

/** The final mix of XXH64, which XXH3 keeps for its shortest inputs. */
function avalanche64(value: bigint): bigint {
  let hash = value;
  hash ^= hash >> 33n;
  hash = (hash * PRIME64_2) & MASK64;
  hash ^= hash >> 29n;
  hash = (hash * PRIME64_3) & MASK64;
  return hash ^ (hash >> 32n);
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK64;
}

function swapBytes(value: bigint): bigint {
  SCRATCH.setBigUint64(0, value, true);
  return SCRATCH.getBigUint64(0, false);
}
