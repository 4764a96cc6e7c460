import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type EncodeModelFileOptions, encodeModelFile } from '../../models/file/encodeModelFile.js';
import { folderStagingStore } from '../../models/file/folderStagingStore.js';
import { fileSink } from '../../sinks/file.js';
import { ArgumentError, SinkError } from '../../src/errors.js';
import type { CommandContext } from '../context.js';
import { DataError } from '../failure.js';
import { type ModelInput, openModelInput } from '../modelInput.js';
import { startProgress } from '../progress.js';
import { encoderOptions } from './holotensor.js';
import type { EncodeOptions } from './options.js';

/** A model, in one file or in shards, to one file of fragments. */
export async function encodeToModelFile(
  { signal }: CommandContext,
  input: string,
  options: EncodeOptions,
): Promise<void> {
  const { output, encoding = 'embedded', keep = [], resume } = options;
  const encode = { encoding, ...encoderOptions(encoding, options) };
  await using model = await openModelInput(input, signal);
  const stagingPath = join(dirname(output), `.${basename(output)}.holostream-staging`);
  if (!resume) await rm(stagingPath, { recursive: true, force: true });
  const total = model.files.reduce((sum, { source }) => sum + (source.size ?? 0), 0);
  const progress = startProgress('encoding', total);
  let seen = 0;
  const onProgress = (bytes: number) => {
    progress.advance(bytes - seen);
    seen = bytes;
  };
  try {
    const kept = (name: string) => keep.some((pattern) => pattern.test(name));
    await writeModelFile(model, output, stagingPath, { encode, keep: kept, signal, onProgress });
  } finally {
    progress.stop();
  }
}

/** What is encoded waits in the staging; it outlives an interruption and a full disk, so that `--resume` can go on. */
async function writeModelFile(
  { files, index }: ModelInput,
  output: string,
  stagingPath: string,
  options: EncodeModelFileOptions,
): Promise<void> {
  const staging = await folderStagingStore(stagingPath);
  try {
    await encodeModelFile(files, await fileSink(output), staging, { ...options, index });
  } catch (error) {
    const canGoOn = options.signal?.aborted || error instanceof SinkError;
    if (!canGoOn) await staging.remove();
    // The options have been checked: what an encoder refuses now is a tensor (a NaN in it).
    if (error instanceof ArgumentError) throw new DataError(error.message, { cause: error });
    throw error;
  }
  await staging.remove();
}
