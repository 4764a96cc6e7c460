/** Patterns of tensor names. */
export interface NamePattern {
  readonly text: string;
  test(name: string): boolean;
}

/** In it, * matches any text and ? one character. */
export function patternOf(text: string): NamePattern {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'su');
  return { text, test: (name) => expression.test(name) };
}

/** What a list of names and patterns says of a name: a name counts before patterns, and of patterns the first that matches. */
export function factorOf(factors: ReadonlyMap<string, number>): (name: string) => number | undefined {
  const patterns = Array.from(factors, ([text, factor]) => ({ pattern: patternOf(text), factor }));
  return (name) => factors.get(name) ?? patterns.find(({ pattern }) => pattern.test(name))?.factor;
}
