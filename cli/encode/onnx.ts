import { mkdir, realpath, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readModelSource } from '../../models/file/sourceFiles.js';
import { argumentPlace } from '../../sources/hub.js';
import { quote } from '../../src/errors/show.js';
import { UsageError } from '../failure.js';
import { writeOutput } from '../files.js';
import { openModelFiles } from '../input/modelInput.js';
import type { EncodeOptions } from '../options.js';
import type { Outcome } from '../output.js';
import { encodeFiles } from './modelFile.js';

/** Encodes an ONNX model to a folder: a model file of its weights, and its graph, which refers to what that decodes to. */
export async function encodeOnnx(
  names: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const { output, weightsName } = options;
  await using model = await openModelFiles(names, { signal, weightsName });
  const [graph] = model.beside;
  if (graph === undefined) {
    // Of what is no model at all, its reader says what it is.
    await readModelSource(model.files, { signal });
    throw new UsageError(`${quote(names[0]!)} is no ONNX model: give it the suffix of its format`);
  }
  const weights = `${graph.name.replace(/\.onnx$/i, '')}.holo.safetensors`;
  const made = await mkdir(output, { recursive: true });
  try {
    for (const { name } of model.beside) await assertOther(names[0]!, join(output, name));
    const outcome = await encodeFiles(model, { ...options, output: join(output, weights) }, signal);
    for (const { name, source } of model.beside) {
      await writeOutput(join(output, name), source.stream({ signal }), { signal });
    }
    return outcome;
  } catch (error) {
    // Not if something is in it, such as what --resume goes on with.
    if (made !== undefined) await rmdir(output).catch(() => {});
    throw error;
  }
}

/** @throws UsageError for an output that is the input */
async function assertOther(input: string, output: string): Promise<void> {
  const { path } = argumentPlace(input);
  if (path === undefined) return;
  const [from, to] = await Promise.all([realpath(path), realpath(output).catch(() => undefined)]);
  if (from === to) {
    throw new UsageError(`Cannot write the graph over ${quote(input)}: choose another directory`);
  }
}
