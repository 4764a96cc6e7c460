import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { runCommand } from '../../cli/program.js';
import { COMMAND_VARIABLE, compilePrograms } from '../../scripts/compilePrograms.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The test runner asks for colours, and its children would give them. */
const plainEnvironment = { ...process.env, FORCE_COLOR: '0' };
let built: string | undefined;

/**
 * The command line as the package ships it, but for the compiler, and with RxJS in it. The test runner compiles it once
 * for all files; for a file that is run alone, it is compiled when a test first needs it.
 */
export function cliPath(): string {
  built ??= process.env[COMMAND_VARIABLE] ?? compiled(join(root, 'cli/main.ts'))[0]!;
  return built;
}

/**
 * Compiles programs of the repository, or such as import the package by its name.
 * @returns the paths of their modules, in a folder of their own
 */
export function compiled(...sources: readonly string[]): string[] {
  return compilePrograms(root, sources, temporaryFolder());
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  /** What the process reads on standard input. */
  readonly input?: Uint8Array | undefined;
  /** The current folder. Commands of different folders run one after another. */
  readonly cwd?: string | undefined;
  /** Without it, outputs are replaced: tests write to the same names again. */
  readonly keep?: true;
}

/** What the command line that is running has as standard input and outputs. */
const standardStreams = new AsyncLocalStorage<Pick<NodeJS.Process, StandardStream>>();
const STANDARD_STREAMS = ['stdin', 'stdout', 'stderr'] as const;
type StandardStream = (typeof STANDARD_STREAMS)[number];

for (const name of STANDARD_STREAMS) {
  const own = Object.getOwnPropertyDescriptor(process, name)!;
  const get = () => standardStreams.getStore()?.[name] ?? own.get!.call(process);
  Object.defineProperty(process, name, { ...own, get });
}

/**
 * Runs the command line: in this process, with standard outputs of its own, because most commands take less than the
 * start of a process; in one of its own where standard input or threads count.
 */
export async function runCli(
  args: readonly string[],
  { input, cwd, keep }: RunOptions = {},
): Promise<CliResult> {
  const writes = args[0] === 'encode' || args[0] === 'decode';
  const all = writes && !keep ? [...args, '--force'] : args;
  if (input !== undefined || startsThreads(args)) return runCliProcess(all, { input, cwd });
  return cwd === undefined ? runHere(all) : inFolder(cwd, () => runHere(all));
}

function startsThreads(args: readonly string[]): boolean {
  const at = args.indexOf('--workers');
  return at >= 0 && args[at + 1] !== '0';
}

/** The current folder is that of the whole process. */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const result = lastInFolder.then(async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      return await work();
    } finally {
      process.chdir(before);
    }
  });
  lastInFolder = result.catch(() => {});
  return result;
}

let lastInFolder: Promise<unknown> = Promise.resolve();

/** Runs the command line in this process, where it finds no script for threads. */
export async function runHere(args: readonly string[]): Promise<CliResult> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const streams = { stdin: Readable.from([]), stdout: collector(out), stderr: collector(err) };
  const run = () => runCommand(args, new AbortController().signal);
  const code = await standardStreams.run(streams as unknown as Pick<NodeJS.Process, StandardStream>, run);
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

function collector(chunks: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
}

/** Runs the command line as a process of its own. */
export function runCliProcess(args: readonly string[], { input, cwd }: RunOptions = {}): Promise<CliResult> {
  const child = startCli(args, cwd);
  child.stdin.end(input);
  return resultOf(child);
}

export function startCli(args: readonly string[], cwd?: string): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [cliPath(), ...args], { cwd, env: plainEnvironment });
  // A command that fails early does not read its input.
  child.stdin.on('error', () => {});
  return child;
}

/** Runs a compiled program as a process of its own. */
export function runProgram(
  program: string,
  cwd: string,
  { input }: Pick<RunOptions, 'input'> = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [program], { cwd, env: plainEnvironment });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return resultOf(child);
}

export async function resultOf(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk) => out.push(chunk));
  child.stderr.on('data', (chunk) => err.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

/** A folder that is gone when the tests have ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holostream-'));
  if (temporaryFolders.length === 0) process.on('exit', removeTemporaryFolders);
  temporaryFolders.push(folder);
  return folder;
}

const temporaryFolders: string[] = [];

function removeTemporaryFolders(): void {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
}

/** What a command that succeeded, and said nothing on stderr, has written. */
export function ok({ code, stdout, stderr }: CliResult): Buffer {
  assert.is(stderr, '');
  assert.is(code, 0);
  return stdout;
}

/** Asserts that the command failed with one line on stderr and nothing on stdout. */
export function failed({ code, stdout, stderr }: CliResult, expected: number, pattern: RegExp): void {
  assert.is(code, expected, stderr);
  assert.match(stderr, pattern);
  assert.match(stderr, /^holostream: [^\n]+\n$/);
  assert.is(stdout.length, 0);
}
