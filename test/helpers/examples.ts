import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { productFiles } from './product.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A program that the documentation or a docstring shows. */
export interface Example {
  /** Where it is: file and line. */
  readonly name: string;
  readonly code: string;
  /** A docstring's example: names of the package are in scope without an import. */
  readonly inDocstring: boolean;
}

/** All programs in TypeScript: the blocks of the README and of `docs/`, and every `@example` of the product's sources. */
export function documentedExamples(): Example[] {
  return [
    ...markdownFiles().flatMap((file) => blocksOf(file).filter(({ language }) => language === 'ts')),
    ...productFiles().flatMap(docstringExamplesOf),
  ];
}

/** The README and all of `docs/`, relative to the root. */
export function markdownFiles(): string[] {
  return ['README.md', ...filesIn('docs', '.md')];
}

export interface Block extends Example {
  readonly language: string;
}

/** The fenced blocks of a Markdown file. */
export function blocksOf(file: string): Block[] {
  const text = readFileSync(join(root, file), 'utf8');
  return Array.from(text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms), ({ 1: language, 2: code, index }) => ({
    name: `${file}:${lineAt(text, index)}`,
    language: language!,
    code: code!,
    inDocstring: false,
  }));
}

function docstringExamplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  return Array.from(text.matchAll(/\/\*\*.*?\*\//gs)).flatMap(({ 0: comment, index }) => {
    const [, ...parts] = comment.split(/^\s*\* @example\n/m);
    return parts.map((part) => ({
      name: `${file}:${lineAt(text, index + comment.indexOf(part))}`,
      code: part
        .replace(/^\s*\* @\w.*/ms, '')
        .replace(/^\s*\*(\/$| ?)/gm, '')
        .trim(),
      inDocstring: true,
    }));
  });
}

function filesIn(folder: string, suffix: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => `${folder}/${name}`)
    .sort();
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
