import { createRequire } from 'node:module';
import { join } from 'node:path';
import { UnsupportedError } from '../../src/errors.js';
import type { TensorData } from '../../src/tensor/tensor.js';
import { DataError } from '../failure.js';

/** What is used of ONNX Runtime. */
export interface OnnxRuntime {
  readonly Tensor: new (type: string, data: TensorData, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(graph: Uint8Array, options: OnnxSessionOptions): Promise<OnnxSession>;
  };
}

export interface OnnxTensor {
  readonly type: string;
  readonly data: ArrayBufferView;
}

interface OnnxSessionOptions {
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly logSeverityLevel: number;
}

export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

const PACKAGES = ['onnxruntime-node', 'onnxruntime-web'];

/**
 * The user's own ONNX Runtime: that of the current folder, or one that is installed beside this package.
 * @throws UnsupportedError where there is none; DataError for one that does not load
 */
export function loadRuntime(): OnnxRuntime {
  for (const name of PACKAGES) {
    for (const place of [join(process.cwd(), 'index.js'), import.meta.url]) {
      const require = createRequire(place);
      if (!isInstalled(require, name)) continue;
      try {
        return require(name) as OnnxRuntime;
      } catch (cause) {
        throw new DataError(`Cannot load ${name}: ${(cause as Error).message}`, { cause });
      }
    }
  }
  throw new UnsupportedError(
    `Cannot run the network: install the package ${PACKAGES.join(' or ')} in this folder`,
  );
}

function isInstalled(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
