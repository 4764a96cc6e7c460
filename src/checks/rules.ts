import { ABORT_RULES } from './abortOptions.js';
import { LIMIT_RULES, type OpenOptions } from './limits.js';
import { check, object, type Rule, type Rules, text } from './options.js';

/** Rules that few need: pages that read do without. */

/** Of another realm, too. */
export const address: Rule<string | URL> = (value) =>
  typeof value !== 'string' && typeof (value as URL | null)?.href !== 'string' && 'a URL';

export const uint64: Rule<bigint> = (value) =>
  !(typeof value === 'bigint' && value >= 0n && value < 2n ** 64n) && 'a bigint from 0 to 2^64 - 1';

/** A Map from texts. */
/* @__NO_SIDE_EFFECTS__ */
export function mapOf<T>(rule: Rule<T>): Rule<ReadonlyMap<string, T>> {
  return (value) =>
    Object.prototype.toString.call(value) === '[object Map]'
      ? Array.from(value as Map<unknown, unknown>, ([key, item]) => text(key) || rule(item)).find(Boolean)
      : 'a Map';
}

export const textMap = /* @__PURE__ */ mapOf(text);

/** An object with these fields; of those that may be left out, the rules take undefined. */
/* @__NO_SIDE_EFFECTS__ */
export function record<T extends object>(fields: Rules<T>): Rule<T> {
  return (value) => {
    const wrong = object(value);
    if (wrong) return wrong;
    for (const name in fields) check(name, (value as T)[name], fields[name]);
    return undefined;
  };
}

/* @__NO_SIDE_EFFECTS__ */
export function optional<T>(rule: Rule<T>): Rule<T | undefined> {
  return (value) => value !== undefined && rule(value);
}

export const OPEN_RULES: Rules<OpenOptions> = { ...ABORT_RULES, ...LIMIT_RULES };
