import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Links and pictures of the pages in a folder that lead to no file in it: "page.html: target". */
export function brokenLinks(folder: string): string[] {
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.html'),
  );
  return pages.flatMap((page) => {
    const html = readFileSync(join(folder, page), 'utf8').replace(/<script\b.*?<\/script>/gs, '');
    const targets = Array.from(html.matchAll(/\s(?:href|src)="([^"#?]*)[^"]*"/g), ([, target]) => target!);
    const local = targets.filter((target) => target !== '' && !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target));
    const missing = [...new Set(local)].filter((target) => !leadsToFile(folder, page, target));
    return missing.map((target) => `${page}: ${target}`);
  });
}

function leadsToFile(folder: string, page: string, target: string): boolean {
  const path = join(folder, target.startsWith('/') ? '' : dirname(page), decodeURIComponent(target));
  if (relative(folder, path).startsWith('..') || !existsSync(path)) return false;
  return !statSync(path).isDirectory() || existsSync(join(path, 'index.html'));
}
