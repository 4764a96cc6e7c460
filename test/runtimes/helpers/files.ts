import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { HctWriter } from '../../../sinks/hct.js';
import { memorySink } from '../../../sinks/memory.js';
import type { CompressionAlgorithm } from '../../../src/codecs/codec.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { holoFile } from '../../helpers/holoFiles.js';
import { modelFileOf } from '../../helpers/modelFiles.js';
import { noise } from '../../helpers/random.js';

/** Large enough that workers decode them. */
const HCT_SHAPE = [1024, 1024];
const HOLO_SHAPE = [256, 512];
const hctValues = noise(1024 * 1024);
const holoValues = noise(256 * 512);

const digits = readFileSync(
  fileURLToPath(new URL('../../../examples/digits/digits.safetensors', import.meta.url)),
);

/** Writes the files that `program/check.js` reads. */
export async function writeFiles(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const files = {
    'zstd.hct': await hctFile('zstd'),
    'lz4.hct': await hctFile('lz4'),
    'embedded.holo': holoFile('embedded', holoValues, HOLO_SHAPE),
    'model.holo.safetensors': await modelFileOf(digits),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
}

async function hctFile(algorithm: CompressionAlgorithm): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { version: 2, algorithm, dtype: 'F32', shape: HCT_SHAPE });
  await writer.write(viewBytes(hctValues));
  await writer.close();
  return sink.bytes;
}

/** SHA-256 of what is in each file. */
export function expectedDigests() {
  const hct = sha256([viewBytes(hctValues)]);
  const embedded = sha256([viewBytes(holoValues)]);
  const { tensors } = parseSafetensorsHeader(digits);
  const model = sha256(tensors.map(({ offset, byteLength }) => digits.subarray(offset, offset + byteLength)));
  return { zstd: hct, lz4: hct, embedded, model };
}

/** Asserts that an engine has read from these files what is in them. */
export function assertRead(result: unknown): void {
  const { cosine, ...exact } = result as { cosine: number };
  const all = expectedDigests();
  const closed = 'Cannot run the task: the worker pool is closed';
  assert.equal(exact, {
    alone: all,
    two: all,
    pooled: all,
    closed: { zstd: closed, lz4: closed, embedded: closed, model: closed },
    streams: { zstd: all.zstd, lz4: all.lz4 },
  });
  assert.ok(cosine >= 0.9 && cosine < 1, `${cosine}`);
}

/** The arguments of `program/inputs.js`, but for the URL of the first. */
export const INPUTS = ['files/zstd.hct', 'files/model.holo.safetensors'];

/** Asserts that an engine has read a file from all that bytes come from. */
export function assertInputs(outcomes: unknown): void {
  const failed = Object.entries(outcomes as Record<string, string>).filter(([, outcome]) => outcome !== 'ok');
  assert.equal(failed, []);
  assert.ok(Object.keys(outcomes as object).length >= 24);
}

function sha256(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
