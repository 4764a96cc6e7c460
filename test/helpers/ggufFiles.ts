import { type GgufWrittenTensor, ggufOf } from './ggufWriter.js';
import { pseudoRandomBytes } from './random.js';

/** A small model: tensors of numbers, quantized ones, and a vocabulary of more than 64 KiB. */
export function smallGguf(alignment?: number): Uint8Array {
  const tensors: GgufWrittenTensor[] = [
    { name: 'token_embd.weight', dimensions: [64, 50], type: 0, bytes: floats(3200) },
    { name: 'blk.0.attn_q.weight', dimensions: [64, 64], type: 1, bytes: halves(4096, 0x2c00) },
    { name: 'blk.0.attn_k.weight', dimensions: [64, 64], type: 30, bytes: halves(4096, 0x3c00) },
    // Q8_0: blocks of 32 take 34 bytes.
    { name: 'blk.0.ffn_up.weight', dimensions: [64, 33], type: 8, bytes: pseudoRandomBytes(66 * 34, 5) },
    { name: 'blk.0.attn_norm.weight', dimensions: [7], type: 0, bytes: floats(7) },
    { name: 'output.weight', dimensions: [64, 3], type: 8, bytes: pseudoRandomBytes(6 * 34, 6) },
  ];
  const values = {
    'general.architecture': 'llama',
    'general.name': 'small',
    ...(alignment !== undefined && { 'general.alignment': alignment }),
    'llama.block_count': 1,
    'llama.context_length': 128,
    'llama.embedding_length': 64,
    'tokenizer.ggml.tokens': Array.from({ length: 5000 }, (_, i) => `token ${i}`),
    'tokenizer.ggml.scores': new Float32Array(5000).map((_, i) => -i),
  };
  return ggufOf(values, tensors, alignment);
}

function floats(count: number): Uint8Array {
  return new Uint8Array(new Float32Array(count).map((_, i) => Math.sin(i) * 0.1).buffer);
}

/** Numbers of 16 bits around one whose bits are these. */
function halves(count: number, bits: number): Uint8Array {
  const random = new Uint16Array(pseudoRandomBytes(2 * count, 7).buffer);
  return new Uint8Array(random.map((one) => (one & 0x83ff) | bits).buffer);
}
