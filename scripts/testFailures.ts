/** What failed, in a line each, from what uvu prints. */
import { stripVTControlCharacters } from 'node:util';

/** One line, so that a log of many parts can end with all of them. */
const MAX_LINE = 320;
/** Of what was there, and what was expected: the rest is behind it. */
const MAX_VALUE = 60;
const FAIL = /^ {3}FAIL {2}(?:\S.*? {2})?"(.*)"$/;
const PLACE = /^ +at .*?\b(test\/[^():]+:\d+)(?::\d+)?\)?$/;
/** Of a property: the values that it fails for, behind the seed in its message. */
const COUNTEREXAMPLE = /^ +(Counterexample: .*)$/;
const ERROR =
  /^(?:Uncaught )?(?:\w*Error|AssertionError|Assertion)\b.*:|^Exiting early|^# (?:Check failed|Fatal (?:process|JavaScript))|^FATAL ERROR/;

/** The tests that failed, each with its first line of error and its place. */
export function failedTests(output: string): string[] {
  const lines = stripVTControlCharacters(output).split('\n');
  return lines.flatMap((line, index) => {
    const name = FAIL.exec(line)?.[1];
    if (name === undefined) return [];
    const next = lines.findIndex((other, at) => at > index && FAIL.test(other));
    return [describe(name, lines.slice(index + 1, next === -1 ? undefined : next))];
  });
}

/** What a process said that ended before its tests did: its first error, or else its last line. */
export function lastWords(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return shorten((lines.find((line) => ERROR.test(line)) ?? lines.at(-1) ?? 'no output').trim(), MAX_LINE);
}

function describe(name: string, lines: readonly string[]): string {
  const message = (lines[0] ?? '').trim();
  const place = lines.map((line) => PLACE.exec(line)?.[1]).find((found) => found !== undefined);
  // "Expected values to be equal:" alone does not tell what was there.
  const isOpen = message.replace(/ +\(\w+\)$/, '').endsWith(':');
  const values = isOpen
    ? [/^ {8}\+\+/, /^ {8}--/].flatMap((side) => lines.find((line) => side.test(line)) ?? [])
    : [];
  const counterexample = lines.flatMap((line) => COUNTEREXAMPLE.exec(line)?.[1] ?? []);
  return shorten(
    [
      `"${name}"`,
      message,
      ...values.map((value) => shorten(value.trim().replace(/\s+/g, ' '), MAX_VALUE)),
      ...counterexample,
    ].join('  '),
    MAX_LINE,
    place === undefined ? '' : `  ${place}`,
  );
}

function shorten(text: string, length: number, end = ''): string {
  const room = length - end.length;
  return `${text.length > room ? `${text.slice(0, room - 1)}…` : text}${end}`;
}
