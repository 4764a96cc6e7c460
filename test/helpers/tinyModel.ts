import { viewBytes } from '../../src/tensor/tensor.js';
import { message, rawTensor } from './onnxWriter.js';
import { noise } from './random.js';

/** Of words, and their embeddings. */
export const TINY_SHAPE = [2000, 64] as const;
export const TINY_VALUES = noise(2000 * 64);

/** Of the sentence that the tests embed; the others of the vocabulary have numbers for names. */
const WORDS = ['[PAD]', '[UNK]', 'one', 'two', 'three'];

/**
 * A model as transformers.js loads it from a hub: configuration, tokenizer, and a graph that looks up the embeddings of words, with
 * its weights.
 */
export function tinyModel() {
  const [size, width] = TINY_SHAPE;
  const words = Array.from({ length: size }, (_, i) => WORDS[i] ?? `w${i}`);
  const vocab = Object.fromEntries(words.map((word, i) => [word, i]));
  const added = { lstrip: false, rstrip: false, normalized: false, single_word: false, special: true };
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      { id: 0, content: '[PAD]', ...added },
      { id: 1, content: '[UNK]', ...added },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: '[UNK]' },
  };
  const config = { model_type: 'bert', hidden_size: width, vocab_size: size };
  const tokens = { tokenizer_class: 'PreTrainedTokenizerFast', pad_token: '[PAD]', unk_token: '[UNK]' };
  return {
    'config.json': JSON.stringify(config),
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify({ ...tokens, model_max_length: 16 }),
    'onnx/model.onnx': lookup(width),
  };
}

/** `input_ids` → Gather → `last_hidden_state`. */
function lookup(width: number): Uint8Array {
  const value = (name: string, type: number, sizes: readonly (string | number)[]) => {
    const dims = sizes.map(
      (size) => [1, message([typeof size === 'number' ? [1, size] : [2, size]])] as const,
    );
    const tensor = message([
      [1, type],
      [2, message(dims)],
    ]);
    return message([
      [1, name],
      [2, message([[1, tensor]])],
    ]);
  };
  const gather = message([
    [1, 'embeddings'],
    [1, 'input_ids'],
    [2, 'last_hidden_state'],
    [4, 'Gather'],
  ]);
  const graph = message([
    [1, gather],
    [2, 'lookup'],
    [5, rawTensor('embeddings', TINY_SHAPE, viewBytes(TINY_VALUES))],
    [11, value('input_ids', 7, ['batch', 'length'])],
    [12, value('last_hidden_state', 1, ['batch', 'length', width])],
  ]);
  return message([
    [1, 8],
    [7, graph],
    [8, message([[2, 13]])],
  ]);
}
