/** A language that nobody speaks, for a network to learn: what it asks for is known, and there is any amount of it. */
import type { Random } from '../../../examples/digits/random.js';

export const WORDS = 512;
/** Ends a sentence and begins the next. */
export const STOP = 0;

/** Words 1 to 64 are names. A sentence has one, which returns whenever a name is due: only its beginning tells which. */
const NAMES = 64;
const SUCCESSORS = 4;
const SENTENCE = { shortest: 6, longest: 20 } as const;

/**
 * Sentences without end. Each word has a few likely successors, the first the likeliest; else comes a word by its
 * frequency, which falls with its rank as in human languages (Zipf, 1935), or the sentence's name.
 */
export function* sentences(rules: Random, random: Random): Generator<number, never> {
  const common = () => NAMES + Math.min(WORDS - NAMES - 1, Math.floor((WORDS - NAMES) ** rules.next()));
  const successors = Array.from({ length: WORDS }, () => Array.from({ length: SUCCESSORS }, common));
  for (;;) {
    const name = 1 + random.below(NAMES);
    const length = SENTENCE.shortest + random.below(SENTENCE.longest - SENTENCE.shortest);
    yield STOP;
    let word = name;
    for (let i = 0; i < length; i++) {
      yield word;
      const draw = random.next();
      if (draw < 0.2) word = name;
      else if (draw < 0.85) word = successors[word]![Math.floor(SUCCESSORS * random.next() ** 2)]!;
      else word = NAMES + Math.floor((WORDS - NAMES) ** random.next());
    }
  }
}

/** The first words of the language by one seed of what is said; its rules are always the same. */
export function take(words: Iterator<number>, count: number): Uint16Array {
  return Uint16Array.from({ length: count }, () => words.next().value as number);
}
