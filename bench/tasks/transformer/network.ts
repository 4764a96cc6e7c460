import { WORDS } from './language.js';
import { type Matrix, matrix, Tape } from './tape.js';

/** A small transformer that predicts the next word. Its embedding is its output layer, too. */
export const LENGTH = 32;
const WIDTH = 48;
const HEADS = 4;
const LAYERS = 2;

/** Names and shapes of its tensors, a row per output. */
export const SHAPES: ReadonlyMap<string, readonly [rows: number, cols: number]> = new Map([
  ['embedding', [WORDS, WIDTH]],
  ['positions', [LENGTH, WIDTH]],
  ...Array.from({ length: LAYERS }, (_, i): [string, readonly [number, number]][] => [
    [`layers.${i}.norm1`, [1, WIDTH]],
    [`layers.${i}.query`, [WIDTH, WIDTH]],
    [`layers.${i}.key`, [WIDTH, WIDTH]],
    [`layers.${i}.value`, [WIDTH, WIDTH]],
    [`layers.${i}.output`, [WIDTH, WIDTH]],
    [`layers.${i}.norm2`, [1, WIDTH]],
    [`layers.${i}.up`, [4 * WIDTH, WIDTH]],
    [`layers.${i}.down`, [WIDTH, 4 * WIDTH]],
  ]).flat(),
  ['norm', [1, WIDTH]],
]);

export type Network = ReadonlyMap<string, Matrix>;

export function networkOf(weights: ReadonlyMap<string, Float32Array>): Network {
  return new Map(Array.from(SHAPES, ([name, [rows, cols]]) => [name, matrix(rows, cols, weights.get(name))]));
}

/** Mean bits a word of the words after the first in sequences of LENGTH + 1; `tape` then knows the gradients. */
export function bitsPerWord(network: Network, sequences: readonly Uint16Array[], tape = new Tape()): number {
  const part = (name: string) => network.get(name)!;
  const inputs = sequences.flatMap((words) => [...words.subarray(0, LENGTH)]);
  const targets = sequences.flatMap((words) => [...words.subarray(1)]);
  const places = inputs.map((_, i) => i % LENGTH);
  let x = tape.sum(tape.rows(part('embedding'), inputs), tape.rows(part('positions'), places));
  for (let i = 0; i < LAYERS; i++) {
    const layer = (name: string) => part(`layers.${i}.${name}`);
    const seen = tape.normalized(x, layer('norm1'));
    const [q, k, v] = ['query', 'key', 'value'].map((name) => tape.product(seen, layer(name)));
    x = tape.sum(x, tape.product(tape.attention(q!, k!, v!, LENGTH, HEADS), layer('output')));
    const hidden = tape.relu(tape.product(tape.normalized(x, layer('norm2')), layer('up')));
    x = tape.sum(x, tape.product(hidden, layer('down')));
  }
  return tape.bits(tape.product(tape.normalized(x, part('norm')), part('embedding')), targets);
}
