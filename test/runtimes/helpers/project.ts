import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, type Server, serve } from './process.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const runtimes = join(root, 'test/runtimes');

/** No script of a package runs, and what has been fetched once is not asked for again. Registries fail now and then. */
const NPM_FLAGS = [
  '--ignore-scripts',
  '--prefer-offline',
  '--fetch-retries=5',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

/** Holds everything that this process makes, and is gone when it ends. */
const scratch = mkdtempSync(join(tmpdir(), 'holostream-runtimes-'));
process.on('exit', () => removeFolder(scratch));

/** Processes that were killed may still end, and write. */
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

let packed: Promise<string> | undefined;

/** The built package as npm would publish it. */
function tarball(): Promise<string> {
  packed ??= pack();
  return packed;
}

async function pack(): Promise<string> {
  if (!existsSync(join(root, 'dist/index.js'))) {
    throw new Error('Cannot pack holostream: it is not built; run "npm run build"');
  }
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch];
  return join(scratch, (await run('npm', args, root)).trim());
}

/** A folder with nothing of the repository around it, in which the packed package and its tools are installed. */
export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param group a folder of `test/runtimes`: its lockfile names the tools, its other files are the user's program */
  static async create(group: string): Promise<Project> {
    const folder = mkdtempSync(join(scratch, `${group}-`));
    const filter = (path: string) => basename(path) !== 'node_modules' && !path.endsWith('.test.ts');
    for (const source of ['program', group])
      cpSync(join(runtimes, source), folder, { recursive: true, filter });
    await run('npm', ['ci', ...NPM_FLAGS], folder);
    await run('npm', ['install', '--no-save', ...NPM_FLAGS, await tarball()], folder);
    return new Project(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** The file of the one installed package in `scope`: where binaries for this machine are. */
  binary(scope: string, file: string): string {
    const [name, ...others] = readdirSync(this.path(`node_modules/${scope}`));
    if (name === undefined || others.length > 0) throw new Error(`Cannot choose a binary of ${scope}`);
    return this.path(`node_modules/${scope}/${name}/${file}`);
  }

  /** Runs a command in the project; what it wrote to standard output. */
  run(command: string, ...args: string[]): Promise<string> {
    return run(this.#resolve(command), args, this.folder);
  }

  /** Checks a program of JavaScript with the repository's TypeScript, by the types of the packages. */
  async checkTypes(program: string): Promise<void> {
    const compiler = createRequire(import.meta.url)
      .resolve('typescript/package.json')
      .replace('package.json', 'bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck'];
    await this.run('node', compiler, ...options, '--types', '', '--checkJs', program);
  }

  /** Starts a server in the project, which is up when it prints a URL of its own. */
  serve(command: string, ...args: string[]): Promise<Server> {
    return serve(this.#resolve(command), args, this.folder);
  }

  /** Frees the disk before the process ends. */
  remove(): void {
    removeFolder(this.folder);
  }

  /** Commands that the project's packages bring go before those of the system. */
  #resolve(command: string): string {
    const own = this.path(`node_modules/.bin/${command}`);
    return existsSync(own) ? own : command;
  }
}
