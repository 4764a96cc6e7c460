/** Networks in ONNX files from npm, run by onnxruntime-web: the packages of `test/runtimes/tasks`. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Weights } from '../../test/helpers/tasks/task.js';
import { withWeights } from './onnx.js';

const FOLDER = new URL('../../test/runtimes/tasks/', import.meta.url);
const require = createRequire(new URL('package.json', FOLDER));

export interface OrtTensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** What of onnxruntime-web is used. */
interface Ort {
  readonly env: { logLevel: string; readonly wasm: { numThreads: number } };
  readonly InferenceSession: {
    create(model: Uint8Array, options: { logSeverityLevel: number }): Promise<OrtSession>;
  };
  readonly Tensor: new (
    type: 'float32' | 'int64',
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => OrtTensor;
}

interface Png {
  readonly width: number;
  readonly height: number;
  /** RGBA */
  readonly data: Uint8Array;
}

/** Installs the packages, if they are not there. */
export function installPackages(): void {
  if (existsSync(new URL('node_modules/onnxruntime-web', FOLDER))) return;
  execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: fileURLToPath(FOLDER), stdio: 'inherit' });
}

export function packageFile(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`node_modules/${path}`, FOLDER)));
}

export function loadOrt(): Ort {
  const ort = require('onnxruntime-web') as Ort;
  ort.env.wasm.numThreads = 1;
  return ort;
}

/** A picture of this folder. */
export function readPicture(name: string): Png {
  const { PNG } = require('pngjs') as { PNG: { sync: { read(bytes: Uint8Array): Png } } };
  return PNG.sync.read(readFileSync(new URL(`pictures/${name}`, import.meta.url)));
}

/** Runs the network with these weights in place of its own. */
export async function withSession<T>(
  model: Uint8Array,
  weights: Weights,
  work: (session: OrtSession) => Promise<T>,
): Promise<T> {
  const session = await loadOrt().InferenceSession.create(withWeights(model, weights), {
    logSeverityLevel: 3,
  });
  try {
    return await work(session);
  } finally {
    await session.release();
  }
}
