import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ok, runCli } from '../helpers/cli.js';

const test = suite('completion by bash');

/** What bash offers for a line, by the script of the command. */
function completions(script: string, line: string): string[] {
  const words = line.split(' ');
  const [program, current] = [words[0]!, words.at(-1)!];
  const code = [
    script,
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`,
    // The function that bash calls for this program.
    `function=$(complete -p ${program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')`,
    `$function ${program} '${current}' ''; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n');
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', code], { encoding: 'utf8' });
  assert.is(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes commands, those of bulk, and options, behind npx, too', async () => {
  const script = ok(await runCli(['completion', 'bash'])).toString();
  for (const start of ['holostream', 'npx holostream']) {
    const complete = (line: string) => completions(script, `${start} ${line}`);
    assert.equal(complete('en'), ['encode']);
    assert.equal(complete('bulk'), ['bulk']);
    assert.ok(complete('').includes('serve'));
    assert.equal(complete('bulk '), ['run', 'add', 'work', 'status', 'clean', '--help']);
    assert.equal(complete('bulk ru'), ['run']);
    assert.equal(complete('bulk run --sh'), ['--shard']);
    assert.equal(complete('bulk work --sh'), []);
    assert.equal(complete('bulk work --drain --gr'), ['--grace']);
    assert.equal(complete('encode m.safetensors --dry'), ['--dry-run']);
    // A file: bash completes it.
    assert.equal(complete('encode m'), []);
  }
  assert.equal(completions(script, 'npx tsc --he'), [], 'other programs are not completed');
});

test.run();
