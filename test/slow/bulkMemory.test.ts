import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { float32ToBfloat16 } from '../../src/tensor/float.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { trainedLike } from '../helpers/trained.js';

const test = suite('bulk: memory of a tensor that is divided');

/** What the command takes without a model. */
const BASE = 180e6;
const SHAPE = [16_384, 32_768];
const RANGE = 2 ** 27;
const PIECE = 1024;

/** Weights in bfloat16, in pieces from anywhere: repeated as they are, they would be compressed as no weights are. */
async function writeModel(path: string): Promise<void> {
  const weights = viewBytes(float32ToBfloat16(trainedLike([1024, 8192])));
  const byteLength = 2 * SHAPE[0]! * SHAPE[1]!;
  const entry = { dtype: 'BF16', shape: SHAPE, data_offsets: [0, byteLength] };
  const text = JSON.stringify({ 'embed.weight': entry });
  const header = new TextEncoder().encode(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  await using file = await open(path, 'w');
  await file.write(length);
  await file.write(header);
  const some = new Uint8Array(2 ** 24);
  let state = 1;
  for (let left = byteLength; left > 0; left -= some.length) {
    for (let at = 0; at < some.length; at += PIECE) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const start = 2 * (state % (weights.length / 2 - PIECE));
      some.set(weights.subarray(start, start + PIECE), at);
    }
    await file.write(some);
  }
}

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const meter = new URL('../helpers/modelMemory.mjs', import.meta.url).href;

async function peakOf(args: readonly string[], cwd: string): Promise<number> {
  const { stderr } = await promisify(execFile)(process.execPath, ['--import', meter, command, ...args], {
    cwd,
  });
  return Number(/^peak (\d+)$/m.exec(stderr)?.[1]);
}

test('1 GiB: units take some of their ranges, laying fragments out what is compressed, a join megabytes; the file is that of encode', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'holostream-'));
  try {
    await writeModel(join(cwd, 'model.safetensors'));
    const run = ['bulk', 'run', 'model.safetensors', '--to', 'out', '--output', 'it', '--workers', '0'];
    const peaks: Record<string, number> = {};
    peaks.units = await peakOf([...run, '--shard', '0/1'], cwd);
    const joining = [...run, '--shard', '0/1', '--join'];
    peaks.layout = await peakOf(joining, cwd);
    await rm(join(cwd, 'out/it'));
    peaks.join = await peakOf(joining, cwd);
    console.log(JSON.stringify(peaks));
    await peakOf(['encode', 'model.safetensors', '-o', 'alone.holo.safetensors'], cwd);
    const names = ['alone.holo.safetensors', 'out/it'];
    const [alone, joined] = await Promise.all(names.map((name) => readFile(join(cwd, name))));
    assert.ok(alone!.equals(joined!));
    // Two are under way at a time, and each is some times in memory.
    assert.ok(peaks.units > RANGE && peaks.units < BASE + 2 * 4 * RANGE, `units: ${peaks.units} bytes`);
    assert.ok(peaks.layout < 600e6, `layout: ${peaks.layout} bytes`);
    assert.ok(peaks.join > 0 && peaks.join < BASE + 60e6, `join: ${peaks.join} bytes`);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test.run();
