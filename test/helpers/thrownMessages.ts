import { basename } from 'node:path';

/** Which messages the product's errors can have, read from its sources without running them. */

/** A source file of the product. */
export interface SourceFile {
  readonly path: string;
  readonly code: string;
}

/** One `new …Error(…)` of the family. */
export interface ThrownError {
  readonly path: string;
  readonly line: number;
  readonly className: string;
  /** The expression of the message, as written. */
  readonly expression: string;
  /** Every text that it can be, `…` in place of values; undefined: it is passed on from elsewhere. */
  readonly messages: readonly string[] | undefined;
}

interface Site extends SourceFile {
  readonly at: number;
}

/** Names of the classes in `src/errors.ts` that are HolostreamErrors. */
export function errorFamily(code: string): string[] {
  const family = ['HolostreamError'];
  for (const [, name = '', base = ''] of code.matchAll(/class (\w+) extends (\w+)/g)) {
    if (family.includes(base)) family.push(name);
  }
  return family;
}

export function withoutComments(code: string): string {
  // Lines stay, so that their numbers do.
  return code.replace(/^[ \t]*(\/\*\*?|\*|\/\/).*$/gm, '').replace(/ \/\/ .*$/gm, '');
}

export function thrownErrors(files: readonly SourceFile[], family: readonly string[]): ThrownError[] {
  const found: ThrownError[] = [];
  for (const { path, code } of files) {
    for (const match of code.matchAll(new RegExp(`\\bnew (${family.join('|')})\\(`, 'g'))) {
      const [expression = ''] = argumentsAt(code, match.index + match[0].length);
      const messages = resolve(files, { path, code, at: match.index }, expression);
      const line = code.slice(0, match.index).split('\n').length;
      found.push({ path, line, className: match[1]!, expression, messages });
    }
  }
  return found;
}

/** "Cannot <verb> <thing>", and where a reason follows, more of it than a noun. */
export function isSentence(message: string): boolean {
  const [, reason] = /^Cannot [a-z]+ [^:]+(?:: (.*))?$/.exec(message) ?? [undefined, ''];
  return reason === undefined || (/\S \S/.test(reason) && !/^(?:its|the|an?) \S+$/.test(reason));
}

/** The texts that an expression can be; undefined when it, or a part of it, comes from elsewhere. */
function resolve(files: readonly SourceFile[], site: Site, expression: string): string[] | undefined {
  const text = expression.trim();
  const branches = conditional(text);
  if (branches !== undefined) return all(branches.map((branch) => resolve(files, site, branch)));
  const [first, others] = cut(text, '+');
  if (others !== undefined) return resolve(files, site, first)?.map((begin) => `${begin}…`);
  const literal = /^(['"`])((?:[^\\]|\\.)*)\1(?:\.trimEnd\(\))?$/s.exec(text);
  if (literal) return template(files, site, literal[2]!);
  const field = /^this\.(#\w+)$/.exec(text)?.[1];
  if (field !== undefined) {
    const assigned = new RegExp(`this\\.${field} = (\\w+);`).exec(site.code);
    return assigned ? resolve(files, { ...site, at: assigned.index }, assigned[1]!) : undefined;
  }
  const list = /^\[(.*)\]$/s.exec(text)?.[1];
  if (list !== undefined)
    return all(argumentsAt(list.replace(/,\s*$/, ''), 0).map((one) => resolve(files, site, one)));
  const entry = /^([A-Z_]+)\[[^\]]+\]!$/.exec(text)?.[1];
  if (entry !== undefined) return constant(files, site, entry);
  if (!/^\w+$/.test(text)) return undefined;
  return constant(files, site, text) ?? parameter(files, site, text);
}

/** With values that are texts of the source put in; only one in front hides how a message begins: others become `…`. */
function template(files: readonly SourceFile[], site: Site, text: string): string[] | undefined {
  const [start, ...others] = text.split(/\$\{((?:[^{}]|\{[^}]*\})*)\}/);
  let messages: string[] | undefined = [start!];
  for (let i = 0; i < others.length; i += 2) {
    const texts = resolve(files, site, others[i]!) ?? (text.startsWith('${') && i === 0 ? undefined : ['…']);
    messages = texts && messages?.flatMap((message) => texts.map((value) => message + value + others[i + 1]));
  }
  return messages;
}

function constant(files: readonly SourceFile[], site: Site, name: string): string[] | undefined {
  // Those of a module may come after.
  const before = /^[A-Z_]+$/.test(name) ? site.code : site.code.slice(0, site.at);
  const [last] = [...before.matchAll(new RegExp(`const ${name} =\\s*`, 'g'))].slice(-1);
  if (last === undefined) return undefined;
  const start = last.index + last[0].length;
  return resolve(files, { ...site, at: last.index }, argumentsAt(site.code, start, ';')[0]!);
}

/** A parameter of the function around: what its callers pass. */
function parameter(files: readonly SourceFile[], site: Site, name: string): string[] | undefined {
  const before = site.code.slice(0, site.at);
  const head =
    /(?:function (\w+)(?:<[^(]*>)?|const (\w+) = |^ {2}(?:async )?(#?\w+)(?:<[^(]*>)?)\((?=[^)]*\))/gm;
  for (const match of [...before.matchAll(head)].reverse()) {
    const start = match.index + match[0].length;
    const place = argumentsAt(site.code, start).findIndex((text) =>
      new RegExp(`^${name}: string`).test(text.trim()),
    );
    if (place < 0) continue;
    const [, plain, arrow, method] = match;
    const isNew = method === 'constructor';
    const own = isNew ? [...before.matchAll(/class (\w+)/g)].at(-1)![1]! : (plain ?? arrow ?? method!);
    const callee = isNew ? `new ${own}` : method === undefined ? own : `this.${own}`;
    const imported = new RegExp(
      `^import [^;]*\\b${own}\\b[^;]* from '[^']*/${basename(site.path, '.ts')}.js'`,
      'm',
    );
    const calls = files
      .filter(({ path, code }) => path === site.path || imported.test(code))
      .flatMap(({ path, code }) => callsOf(callee, { path, code, at: 0 }));
    const passed = calls.filter(({ at }) => at !== start);
    if (passed.length === 0) return undefined;
    return all(passed.map((call) => resolve(files, call, argumentsAt(call.code, call.at)[place] ?? '')));
  }
  return undefined;
}

function callsOf(callee: string, { path, code }: Site): Site[] {
  const pattern = new RegExp(`(?<!function |[\\w.#])${callee}(?:<[^(]*>)?\\(`, 'g');
  return Array.from(code.matchAll(pattern), (match) => ({ path, code, at: match.index + match[0].length }));
}

function all(lists: readonly (string[] | undefined)[]): string[] | undefined {
  return lists.every((list) => list !== undefined) ? lists.flat() : undefined;
}

/** Both branches of `a ? b : c`. */
function conditional(text: string): [string, string] | undefined {
  const [condition, rest] = cut(text, '?');
  if (rest === undefined || condition === '') return undefined;
  const [yes, no] = cut(rest, ':');
  return no === undefined ? undefined : [yes, no];
}

function cut(text: string, separator: string): [string, string | undefined] {
  const [first = ''] = argumentsAt(text, 0, separator);
  return [first, first.length < text.length ? text.slice(first.length + 1) : undefined];
}

const PAIRS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** What stands between `separator`s, from `start` to the bracket that closes what is open there. */
function argumentsAt(code: string, start: number, separator = ','): string[] {
  const parts: string[] = [];
  const open: string[] = [];
  let from = start;
  for (let at = start; at < code.length; at++) {
    const character = code[at]!;
    const inside = open.at(-1);
    if (character === '\\') at += 1;
    else if (inside === "'" || inside === '"' || inside === '`') {
      if (character === inside) open.pop();
      else if (inside === '`' && code.startsWith('${', at)) {
        open.push('}');
        at += 1;
      }
    } else if (`'"\``.includes(character)) open.push(character);
    else if (character in PAIRS) open.push(PAIRS[character]!);
    else if (character === inside) open.pop();
    else if (open.length === 0 && character === separator && !/^\?[?.]|^\?\?/.test(code.slice(at, at + 2))) {
      parts.push(code.slice(from, at));
      from = at + 1;
    } else if (open.length === 0 && ')]}'.includes(character)) {
      return [...parts, code.slice(from, at)];
    }
  }
  return [...parts, code.slice(from)];
}
