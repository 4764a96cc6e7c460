import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Output with the places in a bundled module as those in its sources. Node does the same where it is told to, but then
 * every process reads its map at its start, which is a twentieth of the time that short tests take.
 * @param module its map is beside it
 */
export function withSourceLines(output: string, module: string): string {
  let map: SourceMap | undefined;
  return [pathToFileURL(module).href, module].reduce((text, name) => {
    const [first = '', ...rest] = text.split(`${name}:`);
    const parts = rest.map((part) => {
      const [place = '', line, column] = /^(\d+)(?::(\d+))?/.exec(part) ?? [];
      map ??= new SourceMap(JSON.parse(readFileSync(`${module}.map`, 'utf8')));
      const found = map.findEntry(Number(line) - 1, Number(column ?? 1) - 1);
      if (line === undefined || !('originalSource' in found)) return `${name}:${part}`;
      const source = resolve(module, '..', found.originalSource);
      return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}${part.slice(place.length)}`;
    });
    return first + parts.join('');
  }, output);
}
