import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CliResult, ok, runCli, runHere, temporaryFolder } from '../helpers/cli.js';
import { modelOf } from '../helpers/models.js';

/** Every option of every command, as its help lists them, with values that are wrong for it. */

const test = suite('command line: wrong values of options');

const folder = temporaryFolder();
process.chdir(folder);
const MODEL = 'model.safetensors';
writeFileSync(join(folder, MODEL), modelOf([{ name: 'w', dtype: 'F32', shape: [40, 50] }]));
for (const output of ['w.holo', 'w.holo.safetensors']) {
  ok(await runCli(['encode', MODEL, '-o', output]));
}
copyFileSync(new URL('../fixtures/inputs/onnx/typed.onnx', import.meta.url), join(folder, 'typed.onnx'));
const FILES = readdirSync(folder);

/** What an option of each command is put behind. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  inspect: ['w.holo'],
  verify: ['w.holo'],
  encode: [MODEL, '-o', 'out.hct'],
  decode: ['w.holo', '-o', 'out.npy'],
  quality: ['w.holo'],
  'bulk run': [MODEL, '--to', 'out'],
  'bulk add': [MODEL, '--to', 'out', '--local'],
  'bulk work': [],
  'bulk status': [],
  'bulk clean': ['out'],
  bench: [MODEL],
  calibrate: ['typed.onnx', '--samples', MODEL],
  plan: ['w.holo.safetensors'],
  serve: [folder],
  completion: ['bash'],
};

/** Options that are for other files than those above. */
const OTHER_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'encode --keep': [MODEL, '-o', 'out.holo.safetensors'],
  'encode --importance': [MODEL, '-o', 'out.holo.safetensors'],
  'decode --tensor': ['w.holo.safetensors', '-o', 'out.safetensors'],
  'quality --tensor': ['w.holo', '--against', MODEL],
  'inspect --tensor': [MODEL, '--plot', 'out.svg'],
};

/** Names of files and tensors: a wrong one is found in the data, with exit code 1. */
const NAMES =
  /^(encode --(tensor|importance|output)|decode --(tensor|output)|quality --(against|tensor)|inspect --tensor|calibrate --(samples|output)|bulk (run|add) --(list|importance))$/;

/** What is not wrong, and why. */
const RIGHT: readonly [RegExp, string][] = [
  [/^(encode|decode|bulk run|bulk add) --output /, 'any name of a file'],
  [/^(inspect|quality) --plot /, 'any name of a file'],
  [/^bulk (run|add) --to /, 'any name of a folder'],
  [/^bulk (run|add) --keep /, 'any pattern'],
  [/^bulk \w+ --redis /, 'any address'],
  [/^serve --host /, 'any name of a machine'],
];

const VALUES = ['nonsense', '-1', '', '9'.repeat(400), '1e999', '\u001b[31m', '{"toString":1}'];
const TOGETHER = 4;

interface HelpOption {
  readonly command: string;
  readonly flag: string;
  readonly takesValue: boolean;
}

async function optionsOf(command: string): Promise<HelpOption[]> {
  const help = ok(await runCli([...command.split(' '), '--help'])).toString();
  const [, list = ''] = help.split('\nOptions:\n');
  return Array.from(list.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)( <[^>]+>)?/gm), ([, flag, value]) => ({
    command,
    flag: flag!,
    takesValue: value !== undefined,
  })).filter(({ flag }) => flag !== '--help');
}

/** A command without commands of its own, or these, as `bulk run`. */
async function commandsOf(command: readonly string[]): Promise<string[]> {
  const help = ok(await runCli([...command, '--help'])).toString();
  const [, list] = help.split('\nCommands:\n');
  if (list === undefined) return [command.join(' ')];
  // Examples follow.
  const names = Array.from(list.split('\n\n', 1)[0]!.matchAll(/^ {2}(\w+)/gm), ([, name]) => name!);
  const own = names.filter((name) => name !== 'help').map((name) => commandsOf([...command, name]));
  return (await Promise.all(own)).flat();
}

const commands = await commandsOf([]);
const options = (await Promise.all(commands.map(optionsOf))).flat();

test('all commands and their options are found', () => {
  assert.equal(commands.toSorted(), Object.keys(COMMANDS).toSorted());
  const known = ['encode --level', 'encode --no-block-checksums', 'decode --quality', 'inspect --limit'];
  const found = options.map(({ command, flag }) => `${command} ${flag}`);
  assert.equal(
    known.filter((one) => !found.includes(one)),
    [],
  );
});

for (const option of options) {
  const name = `${option.command} ${option.flag}`;
  test(name, async () => {
    const wrong = valuesFor(option, name);
    const faults: string[] = [];
    for (let at = 0; at < wrong.length; at += TOGETHER) {
      const some = wrong.slice(at, at + TOGETHER);
      // No wrong value gets as far as threads.
      const results = await Promise.all(some.map(runHere));
      for (const [i, result] of results.entries()) faults.push(...faultsOf(result, some[i]!, name));
    }
    assert.equal(faults, []);
    assert.equal(readdirSync(folder), FILES);
  });
}

function valuesFor({ command, flag, takesValue }: HelpOption, name: string): string[][] {
  const before = [...command.split(' '), ...(OTHER_ARGUMENTS[name] ?? COMMANDS[command]!)];
  // A flag takes no value, and an option that takes one is nothing without it.
  if (!takesValue) return [[...before, `${flag}=nonsense`]];
  const values = VALUES.filter((value) => !RIGHT.some(([right]) => right.test(`${name} ${value}`)));
  return [[...before, flag], ...values.map((value) => [...before, flag, value])];
}

function faultsOf({ code, stdout, stderr }: CliResult, args: readonly string[], name: string): string[] {
  const codes = NAMES.test(name) ? [1, 2] : [2];
  const isRight = codes.includes(code!) && stdout.length === 0;
  // One line, no stack, and nothing that a terminal obeys.
  const isClean = /^holostream: (?!unexpected)[^\p{Cc}]+\n$/u.test(stderr);
  return isRight && isClean ? [] : [`${args.join(' ').slice(0, 100)}: ${code} ${stderr.slice(0, 200)}`];
}

test.run();
