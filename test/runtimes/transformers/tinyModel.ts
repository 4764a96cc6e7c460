import { externalTensor, message } from '../../helpers/onnxWriter.js';

/** Of the sentence that the tests embed; the others of the vocabulary have numbers for names. */
const WORDS = ['[PAD]', '[UNK]', 'one', 'two', 'three'];

/**
 * A model as transformers.js loads it from a hub: configuration, tokenizer, and a graph that looks up the embeddings of words. Its
 * weights are external data, `model.onnx_data`.
 */
export function tinyModel(
  embeddings: Parameters<typeof externalTensor>[0],
): Record<string, string | Uint8Array> {
  const [size = 0, width = 0] = embeddings.shape;
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
    'onnx/model.onnx': lookup(embeddings, width),
  };
}

/** `input_ids` → Gather → `last_hidden_state`. */
function lookup(embeddings: Parameters<typeof externalTensor>[0], width: number): Uint8Array {
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
    [1, embeddings.name],
    [1, 'input_ids'],
    [2, 'last_hidden_state'],
    [4, 'Gather'],
  ]);
  const graph = message([
    [1, gather],
    [2, 'lookup'],
    [5, externalTensor(embeddings, 'model.onnx_data')],
    [11, value('input_ids', 7, ['batch', 'length'])],
    [12, value('last_hidden_state', 1, ['batch', 'length', width])],
  ]);
  return message([
    [1, 8],
    [7, graph],
    [8, message([[2, 13]])],
  ]);
}
