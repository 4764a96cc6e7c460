import { readFileSync } from 'node:fs';

/** The cells of every row of the table behind a heading of a page of `docs/formats`. */
export function rowsBehind(file: string, heading: string): string[][] {
  const text = readFileSync(new URL(`../../docs/formats/${file}`, import.meta.url), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
