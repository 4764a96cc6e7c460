import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ok, runCli, temporaryFolder } from '../helpers/cli.js';

const test = suite('completion in bash, zsh and fish');

type Shell = 'bash' | 'zsh' | 'fish';

/** How long a shell may take for a line, on a busy machine. */
const TIMEOUT_MS = 30_000;

/** Where the shells complete: a file with a name that only a file has. */
const folder = temporaryFolder();
writeFileSync(join(folder, 'zebra.safetensors'), '');
const scripts = new Map<Shell, string>();

test.before(async () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const file = join(folder, `completion.${shell}`);
    writeFileSync(file, ok(await runCli(['completion', shell])));
    scripts.set(shell, file);
  }
});

/** Runs a shell, which must be installed, without the files of the user. */
function run(program: Shell, args: readonly string[]): string {
  const { stdout, stderr, error, status } = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    // Without a history, which shells would write when the folder is gone.
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, HISTFILE: '', TERM: 'dumb' },
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT')
    throw new Error(`${program} is not installed; on Debian: apt-get install ${program}`);
  assert.is(status, 0, `${program}: ${error ?? stderr}`);
  return stdout;
}

/**
 * A terminal with a shell in it, made by zsh: what is set up in the shell; then lines, each with a Tab behind it, and
 * keys at which the shell leaves what came of it in a file and clears the line.
 */
const TERMINAL = `
  zmodload zsh/zpty
  zpty shell "$1"
  zpty -w shell "$2; : > $3"
  until [[ -e $3 ]]; do sleep 0.02; done
  for line in "\${@:4}"; do
    rm $3
    zpty -n -w shell "$line"$'\\t\\x18\\x10'
    until [[ -e $3 ]]; do sleep 0.02; done
    print -r -- "$(<$3)"
    print
  done
  zpty -d shell`;

/** What a shell leaves for each line. */
function type(start: string, setup: readonly string[], lines: readonly string[]): string[][] {
  const result = join(temporaryFolder(), 'result');
  const prepared = setup.join('; ').replaceAll('RESULT', result);
  const output = run('zsh', ['-f', '-c', TERMINAL, 'zsh', start, prepared, result, ...lines]);
  return output.split('\n\n').slice(0, lines.length).map(wordsOf);
}

/** The words that zsh's own completion finds: all of its functions end in compadd. */
function zshOffers(lines: readonly string[]): string[][] {
  const setup = [
    'autoload -Uz compinit; compinit -u -D',
    `source ${scripts.get('zsh')!}`,
    'typeset -a offers',
    // Asked for matches in an array, it is not adding any.
    'compadd() { if [[ "$*" == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi',
    'local -a found; builtin compadd -O found "$@"; offers+=($found); }',
    'leave() { print -l -- $offers > RESULT.part; mv RESULT.part RESULT; offers=(); BUFFER= }',
    'zle -N leave; bindkey "^X^P" leave',
  ];
  return type('zsh -f -i', setup, lines);
}

function fishOffers(lines: readonly string[]): string[][] {
  return lines.map((line) => {
    // Behind a tab: what the word is for.
    const code = `source ${scripts.get('fish')!}; complete -C '${line}'`;
    return wordsOf(run('fish', ['--no-config', '-c', code]).replace(/\t.*$/gm, ''));
  });
}

/** What bash offers, by the function that it calls for the program. */
function bashOffers(lines: readonly string[]): string[][] {
  return lines.map((line) => {
    const words = line.split(' ');
    const [program, current] = [words[0]!, words.at(-1)!];
    const code = [
      `source ${scripts.get('bash')!}`,
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`,
      `function=$(complete -p ${program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')`,
      `$function ${program} '${current}' ''; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join('\n');
    return wordsOf(run('bash', ['--norc', '-c', code]));
  });
}

/** What lines of an interactive bash become by Tab. */
function bashCompletes(lines: readonly string[]): string[] {
  const setup = [
    `source ${scripts.get('bash')!}`,
    'leave() { printf "%s\\n" "$READLINE_LINE" > RESULT.part; mv RESULT.part RESULT; READLINE_LINE=; }',
    `bind -x '"\\C-x\\C-p": leave'`,
  ];
  return type('bash --norc --noprofile -i', setup, lines).map(([line]) => line!);
}

function wordsOf(lines: string): string[] {
  return lines.split('\n').filter((word) => word !== '');
}

const OFFERS = { bash: bashOffers, zsh: zshOffers, fish: fishOffers } as const;

const BULK = ['add', 'clean', 'run', 'status', 'work'];

/** Lines and the words that complete them, in any order. */
const EXPECTED: readonly (readonly [line: string, ...words: string[]])[] = [
  ['en', 'encode'],
  ['bulk', 'bulk'],
  ['bulk ru', 'run'],
  ['bulk run --sh', '--shard'],
  ['bulk work --sh'],
  ['bulk work --drain --gr', '--grace'],
  ['encode m.safetensors --dry', '--dry-run'],
];

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(`${shell} completes commands, those of bulk, and options, behind npx, too`, () => {
    for (const start of ['holostream', 'npx holostream']) {
      const lines = EXPECTED.map(([line]) => `${start} ${line}`);
      const [all, ofBulk, ...others] = OFFERS[shell]([`${start} `, `${start} bulk `, ...lines]);
      for (const command of ['inspect', 'verify', 'serve']) assert.ok(all!.includes(command), command);
      assert.equal(ofBulk!.filter((word) => word !== '--help').sort(), BULK);
      for (const [i, [line, ...words]] of EXPECTED.entries()) assert.equal(others[i], words, line);
    }
    assert.equal(OFFERS[shell](['npx tsc --dry-r']), [[]], 'other programs are not completed');
  });
}

test('zsh and fish complete files behind a command, and none in its place', () => {
  for (const start of ['holostream', 'npx holostream']) {
    const lines = ['encode zeb', 'encode --output zeb', 'zeb'].map((line) => `${start} ${line}`);
    for (const offers of [zshOffers, fishOffers]) {
      assert.equal(offers(lines), [['zebra.safetensors'], ['zebra.safetensors'], []]);
    }
  }
});

test('an interactive bash completes commands, options and files by Tab', () => {
  for (const start of ['holostream', 'npx holostream']) {
    const completed = ['encode ', 'bulk run --shard ', 'encode zebra.safetensors '];
    assert.equal(
      bashCompletes(['en', 'bulk run --sh', 'encode zeb'].map((line) => `${start} ${line}`)),
      completed.map((line) => `${start} ${line}`),
    );
  }
});

test.run();
