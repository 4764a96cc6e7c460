/** Writes GGUF files, version 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
import { concatBytes } from './bytes.js';

export interface GgufWrittenTensor {
  readonly name: string;
  /** In the order of GGUF: the dimension whose elements are neighbours first. */
  readonly dimensions: readonly number[];
  /** Of ggml. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** A number is a U32, a text a text, a list of texts or of F32 a list. */
export type GgufValue = number | string | readonly string[] | Float32Array;

const ALIGNMENT = 32;

export function ggufOf(
  values: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufWrittenTensor[],
  alignment = ALIGNMENT,
): Uint8Array {
  const infos: Uint8Array[] = [];
  const data: Uint8Array[] = [];
  let at = 0;
  for (const { name, dimensions, type, bytes } of tensors) {
    infos.push(text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(at));
    const padded = Math.ceil(bytes.length / alignment) * alignment;
    data.push(bytes, new Uint8Array(padded - bytes.length));
    at += padded;
  }
  const head = concatBytes([
    new TextEncoder().encode('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(Object.keys(values).length),
    ...Object.entries(values).flatMap(([key, value]) => [text(key), valueBytes(value)]),
    ...infos,
  ]);
  const padding = new Uint8Array(Math.ceil(head.length / alignment) * alignment - head.length);
  return concatBytes([head, padding, ...data]);
}

function valueBytes(value: GgufValue): Uint8Array {
  if (typeof value === 'number') return concatBytes([u32(4), u32(value)]);
  if (typeof value === 'string') return concatBytes([u32(8), text(value)]);
  if (value instanceof Float32Array) {
    return concatBytes([u32(9), u32(6), u64(value.length), new Uint8Array(value.slice().buffer)]);
  }
  return concatBytes([u32(9), u32(8), u64(value.length), ...value.map(text)]);
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return concatBytes([u64(bytes.length), bytes]);
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}
