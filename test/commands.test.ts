import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

/** `npm test` passes where there is nothing but Node and npm. */

const test = suite('commands that tests run');

const folder = fileURLToPath(new URL('.', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8'));

/** What `npm test` leaves out, and the helper of such a folder. */
const LEFT_OUT = [
  /--ignore (\S+)/.exec(scripts.test)![1]!.replaceAll('test/', '').split(','),
  'helpers/nginx.ts',
];

/** What starts a command, and its first argument. `fork` starts Node. */
const CALLS = /(?<![.\w])(?:spawn|exec(?:File)?)(?:Sync)?\)?\(\s*([^,]*?),/g;
// The last one begins the path of a command in a project that has installed the package.
const COMMANDS = ['process.execPath', "'npm'", 'join(project'];

test('they are Node, npm, and what these have installed', () => {
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !LEFT_OUT.flat().some((path) => name.startsWith(path)),
  );
  const calls = sources.flatMap((name) => {
    const code = readFileSync(join(folder, name), 'utf8');
    const starts = /^import .* from 'node:child_process';$/m.test(code);
    return starts ? Array.from(code.matchAll(CALLS), ([, command]) => [name, command!] as const) : [];
  });
  assert.ok(calls.length >= 10, `${calls.length} calls`);
  for (const [name, command] of calls) assert.ok(COMMANDS.includes(command), `${name} runs ${command}`);
});

test.run();
