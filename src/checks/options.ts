import { ArgumentError } from '../errors.js';

/**
 * Checks of options and arguments at run time, for callers without TypeScript: what its types refuse, and numbers outside
 * of their range, throw an ArgumentError that says what is expected. Each interface of options has a table of rules beside
 * it; a test passes wrong values to everything public.
 */

/**
 * What a value must be: says what is expected in place of a wrong value, and nothing of a right one. A rule takes all
 * that its type does.
 */
export interface Rule<T> {
  (value: unknown): unknown;
  /** For the compiler only. */
  readonly accepts?: (value: T) => void;
}

/** A rule for each option or field of an interface. */
export type Rules<T> = { readonly [K in keyof T]-?: Rule<Exclude<T[K], undefined>> };

/**
 * @returns the options
 * @throws ArgumentError for one that breaks its rule, and for one whose name is nearly that of another: those that are not
 *   known may be for other functions. Those that are undefined are left out.
 */
export function checkOptions<T extends object>(options: T, rules: Rules<T>): T {
  check('options', options, object);
  for (const name in rules) {
    const value = options[name];
    if (value !== undefined) check(name, value, rules[name]);
  }
  for (const name in options) {
    if (!(name in rules) && options[name] !== undefined) refuseMisspelling(name, rules);
  }
  return options;
}

function refuseMisspelling(name: string, rules: object): void {
  for (const known in rules) {
    if (known.length > 3 && withoutOne(name).some((part) => withoutOne(known).includes(part))) {
      throw new ArgumentError('Cannot use an option of this name', { expected: known, actual: name });
    }
  }
}

/** The name itself, and what is left of it without one of its letters. */
function withoutOne(name: string): string[] {
  return [name, ...Array.from(name, (_, at) => name.slice(0, at) + name.slice(at + 1))];
}

/** @throws ArgumentError when the option or argument of this name breaks the rule */
export function check<T>(name: string, value: unknown, rule: Rule<T>): void {
  const expected = rule(value);
  if (expected) throw new ArgumentError(`Cannot use this value of ${name}`, { expected, actual: value });
}

/** An object for options or fields: no array, no promise that was not awaited. */
export const object: Rule<object> = (value) =>
  Object.prototype.toString.call(value) !== '[object Object]' && 'an object';

export const flag: Rule<boolean> = (value) => typeof value !== 'boolean' && 'true or false';

export const text: Rule<string> = (value) => typeof value !== 'string' && 'a string';

export const callback: Rule<(...values: never[]) => unknown> = (value) =>
  typeof value !== 'function' && 'a function';

/** With the default `max`, infinity too: for a limit or a delay it means none. */
/* @__NO_SIDE_EFFECTS__ */
export function number(min = 0, max = Infinity, kind = 'number'): Rule<number> {
  return (value) =>
    !(typeof value === 'number' && value >= min && value <= max) &&
    `a ${kind} from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ''}`;
}

/* @__NO_SIDE_EFFECTS__ */
export function wholeNumber(min = 0, max = Number.MAX_SAFE_INTEGER): Rule<number> {
  const within = number(min, max, 'whole number');
  return (value) => within(Number.isInteger(value) ? value : undefined);
}

/* @__NO_SIDE_EFFECTS__ */
export function oneOf<const T>(choices: readonly T[]): Rule<T> {
  return (value) => !choices.includes(value as T) && choices;
}

/* @__NO_SIDE_EFFECTS__ */
export function listOf<T>(rule: Rule<T>): Rule<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return 'an array';
    // Not by `some`, which leaves out holes.
    for (const item of value) {
      const expected = rule(item);
      if (expected) return expected;
    }
    return undefined;
  };
}

/** Options within options. */
/* @__NO_SIDE_EFFECTS__ */
export function optionsOf<T extends object>(rules: Rules<T>): Rule<T> {
  return (value) => object(value) || void checkOptions(value as T, rules);
}

/** An object with this method, of any class: sources and signals may be the caller's own. */
/* @__NO_SIDE_EFFECTS__ */
export function having<T>(method: keyof T, expected: string): Rule<T> {
  return (value) => typeof (value as T | null)?.[method] !== 'function' && expected;
}
