/** Commands that write something in the place of something older, in processes that can be ended at any moment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import * as assert from 'uvu/assert';
import { cliPath, temporaryFolder } from '../../helpers/cli.js';
import { modelOf, type TestTensor } from '../../helpers/models.js';
import { installRuntime, SAMPLE, writeNetwork } from './network.js';
import { Target, type Version } from './target.js';

/** Where the inputs of both versions are, in folders of that name. */
export interface Inputs {
  readonly folder: string;
  pathOf(version: Version, name: string): string;
}

export interface Command {
  readonly name: string;
  /** The name of its input. */
  readonly input: string;
  readonly verb: 'encode' | 'decode' | 'calibrate';
  /** The name of what it writes; a folder ends with a slash. */
  readonly target: string;
  readonly options?: readonly string[];
  /** It does not replace what is there. */
  readonly onlyNew?: true;
}

export const COMMANDS: readonly Command[] = [
  { name: 'HCT file', verb: 'encode', input: 'tensor.safetensors', target: 'w.hct' },
  { name: 'HoloTensor file', verb: 'encode', input: 'tensor.safetensors', target: 'w.holo' },
  { name: 'model directory', verb: 'encode', input: 'model.safetensors', target: 'model/' },
  { name: 'model file', verb: 'encode', input: 'model.safetensors', target: 'm.holo.safetensors' },
  {
    name: 'model file, resumed',
    verb: 'encode',
    input: 'model.safetensors',
    target: 'm.holo.safetensors',
    options: ['--resume'],
  },
  { name: 'HCT to npy', verb: 'decode', input: 'tensor.hct', target: 'w.npy' },
  { name: 'HoloTensor to raw', verb: 'decode', input: 'tensor.holo', target: 'w.raw' },
  { name: 'directory to safetensors', verb: 'decode', input: 'model', target: 'm.safetensors' },
  {
    name: 'model file to safetensors',
    verb: 'decode',
    input: 'model.holo.safetensors',
    target: 'm.safetensors',
  },
  {
    name: 'model file to shards',
    verb: 'decode',
    input: 'model.holo.safetensors',
    target: 'm/',
    onlyNew: true,
  },
  {
    name: 'importance',
    verb: 'calibrate',
    input: 'network.onnx',
    target: 'importance.json',
    options: ['--samples', SAMPLE],
  },
];

/** What a process ended with. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface RunOptions {
  /** For `faultyProcess.ts`, which is loaded only if there are any. */
  readonly faults?: Readonly<Record<string, string>> | undefined;
  readonly onStart?: ((child: ChildProcess) => void) | undefined;
  /** The current folder. */
  readonly cwd?: string | undefined;
}

const faultyProcess = buildFaultyProcess();

function buildFaultyProcess(): string {
  const outfile = join(temporaryFolder(), 'faultyProcess.mjs');
  const entry = fileURLToPath(new URL('faultyProcess.ts', import.meta.url));
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  return outfile;
}

/** Runs the command line in a process of its own. */
export async function run(
  args: readonly string[],
  { faults, onStart, cwd }: RunOptions = {},
): Promise<Ended> {
  const flags = faults === undefined ? [] : ['--import', faultyProcess];
  const child = spawn(process.execPath, [...flags, cliPath(), ...args, '--force'], {
    env: { ...process.env, FORCE_COLOR: '0', ...faults },
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd,
  });
  const chunks: Buffer[] = [];
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  onStart?.(child);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended));
  });
  return { code, signal, stderr: Buffer.concat(chunks).toString() };
}

/** Models of both versions, and all that is made of them, in a new folder. */
export async function makeInputs(tensors: number, shape: readonly number[]): Promise<Inputs> {
  const folder = temporaryFolder();
  const pathOf = (version: Version, name: string) => join(folder, version, name);
  installRuntime(folder);
  for (const [seed, version] of (['old', 'new'] as const).entries()) {
    mkdirSync(join(folder, version));
    const names = Array.from({ length: tensors }, (_, i) => `${version}.${i}`);
    const weights = names.map((name): TestTensor => ({ name, dtype: 'F32', shape }));
    const fill = (_: TestTensor, byteLength: number, index: number) =>
      weightsOf(byteLength, seed + 2 * index);
    const bias: TestTensor = { name: 'bias', dtype: 'I64', shape: [9] };
    writeFileSync(pathOf(version, 'model.safetensors'), modelOf([...weights, bias], undefined, fill));
    writeFileSync(pathOf(version, 'tensor.safetensors'), modelOf(weights.slice(0, 1), undefined, fill));
    writeNetwork(pathOf(version, 'network.onnx'), 'tensor.safetensors');
    for (const [from, to] of [
      ['tensor.safetensors', 'tensor.hct'],
      ['tensor.safetensors', 'tensor.holo'],
      ['model.safetensors', 'model/'],
      ['model.safetensors', 'model.holo.safetensors'],
    ] as const) {
      const { code, stderr } = await run(['encode', pathOf(version, from), '-o', pathOf(version, to)]);
      assert.is(code, 0, stderr);
    }
  }
  return { folder, pathOf };
}

/** Small numbers, which compress a little. */
function weightsOf(byteLength: number, seed: number): Uint8Array {
  const values = new Float32Array(Math.floor(byteLength / 4)).map((_, i) => Math.sin(i * (seed + 1)) / 8);
  const bytes = new Uint8Array(byteLength);
  bytes.set(new Uint8Array(values.buffer));
  return bytes;
}

/** A command, and the only place where it writes. */
export class Scene {
  readonly target: Target;
  readonly #command: Command;
  readonly #inputs: Inputs;
  #known = false;

  /**
   * Runs the command once for each version, to know what it writes.
   * @param folder new; made here
   * @param keep where the old version is kept; default in the same folder
   */
  static async open(command: Command, inputs: Inputs, folder: string, keep = folder): Promise<Scene> {
    const scene = new Scene(command, inputs, new Target(folder, command.target, keep));
    for (const version of ['old', 'new'] as const) {
      await scene.runWhole(version);
      scene.target.learn(version);
    }
    scene.#known = true;
    return scene;
  }

  private constructor(command: Command, inputs: Inputs, target: Target) {
    this.#command = command;
    this.#inputs = inputs;
    this.target = target;
  }

  /** The old version is there, or nothing if the command replaces nothing. */
  reset(): void {
    this.target.reset(this.#command.onlyNew ? 'nothing' : 'old');
  }

  run(version: Version, options?: RunOptions): Promise<Ended> {
    const { verb, input, options: flags = [], onlyNew } = this.#command;
    if (onlyNew) rmSync(this.target.path, { recursive: true, force: true });
    const args = [verb, this.#inputs.pathOf(version, input), '-o', this.target.path, ...flags];
    return run(args, { ...options, cwd: this.#inputs.folder });
  }

  /**
   * How many changes of files the command makes.
   * @param file where the process writes the number
   */
  async countChanges(file: string): Promise<number> {
    this.reset();
    await this.run('new', { faults: { FAULT_COUNT: file } });
    return Number(readFileSync(file, 'utf8'));
  }

  /** A run without faults: it succeeds, and leaves nothing but its target. @returns what it said */
  async runWhole(version: Version): Promise<string> {
    const { code, signal, stderr } = await this.run(version);
    assert.equal([code, signal], [0, null], stderr);
    assert.equal(this.target.leftovers(), []);
    if (this.#known) assert.is(this.target.version(), version);
    return stderr;
  }

  /**
   * After a run that was broken off: the target is whole, or a whole one is beside it.
   * @returns what is beside it
   */
  assertWhole(): string[] {
    const left = this.target.leftovers();
    const isThere = this.target.version() !== undefined || left.some((name) => name.endsWith('.old'));
    assert.ok(isThere || this.#command.onlyNew, 'the target is lost');
    return left;
  }

  /** The next run succeeds, and says what it found; with `--resume`, it goes on with it. */
  async assertRecovers(left: readonly string[]): Promise<void> {
    const said = await this.runWhole('new');
    const resumes = this.#command.options?.includes('--resume');
    for (const name of left) assert.ok(resumes || said.includes(name), `nothing is said of ${name}: ${said}`);
  }
}
