import type { RandomAccessSource } from '../../src/source.js';
import { float32ToBfloat16 } from '../../src/tensor/float.js';
import { normalFrom, randomUint32From } from './random.js';
import { safetensorsOf } from './safetensors.js';

/** The shapes of TinyLlama, with this many of its layers. */
export function llamaShapes(layers: number, vocabulary = 32_000): Record<string, readonly number[]> {
  const hidden = 2048;
  const shapes: Record<string, readonly number[]> = { 'model.embed_tokens.weight': [vocabulary, hidden] };
  for (let i = 0; i < layers; i++) {
    const layer = `model.layers.${i}`;
    shapes[`${layer}.input_layernorm.weight`] = [hidden];
    for (const [name, rows, columns] of [
      ['self_attn.q_proj', hidden, hidden],
      ['self_attn.k_proj', 256, hidden],
      ['self_attn.v_proj', 256, hidden],
      ['self_attn.o_proj', hidden, hidden],
      ['mlp.gate_proj', 5632, hidden],
      ['mlp.up_proj', 5632, hidden],
      ['mlp.down_proj', hidden, 5632],
    ] as const)
      shapes[`${layer}.${name}.weight`] = [rows, columns];
    shapes[`${layer}.post_attention_layernorm.weight`] = [hidden];
  }
  return { ...shapes, 'model.norm.weight': [hidden], 'lm_head.weight': [vocabulary, hidden] };
}

/** Numbers before they repeat: more than the windows of compressors. */
const PERIOD = 2 ** 24;

/**
 * A safetensors file of bf16 tensors of these shapes, with normal values, that is made as it is read: in memory are 32 MiB.
 */
export function generatedModel(shapes: Readonly<Record<string, readonly number[]>>): RandomAccessSource {
  const normal = normalFrom(1);
  const table = Uint16Array.from(
    { length: 2 ** 12 },
    () => float32ToBfloat16(Float32Array.of(0.02 * normal()))[0]!,
  );
  const next = randomUint32From(2);
  const values = new Uint8Array(Uint16Array.from({ length: PERIOD }, () => table[next() >>> 20]!).buffer);
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += 2 * shape.reduce((product, dimension) => product * dimension, 1);
    return [name, { dtype: 'BF16', shape: [...shape], data_offsets: [start, end] }] as const;
  });
  const header = safetensorsOf(Object.fromEntries(entries));
  return {
    size: header.length + end,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const place = offset + at;
        const [part, from] =
          place < header.length ? [header, place] : [values, (place - header.length) % values.length];
        const piece = part.subarray(from, from + length - at);
        bytes.set(piece, at);
        at += piece.length;
      }
      return bytes;
    },
    stream() {
      throw new Error('nothing streams the source of an encoding');
    },
  };
}
