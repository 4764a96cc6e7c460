/** usage: npm run bench [-- SUBJECT… --OPTION…]: every file of this folder, but for some helpers, is a subject that exports `run`. */
import { readdir } from 'node:fs/promises';
import { cpus } from 'node:os';

const NOT_SUBJECTS = ['main', 'harness', 'family', 'pacedSource', 'plainThreads'];

const here = new URL('./', import.meta.url);
const subjects = (await readdir(here))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .filter((name) => !NOT_SUBJECTS.includes(name));

const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = wanted.filter((name) => !subjects.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(', ')}; there are ${subjects.join(', ')}`);
  process.exit(2);
}

console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`);
for (const name of wanted.length > 0 ? wanted : subjects) {
  const subject: { run(options: readonly string[]): Promise<void> } = await import(
    new URL(`${name}.ts`, here).href
  );
  await subject.run(options);
}
