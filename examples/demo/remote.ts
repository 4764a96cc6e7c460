import { join } from 'node:path';
import {
  encodeModelFile,
  type LoadedTensor,
  memoryStagingStore,
  type OutputType,
  openModel,
  type RandomAccessSource,
  type Tensor,
  viewBytes,
} from 'holostream';
import { fileSink } from 'holostream/node';
import { accuracy } from '../digits/mlp.js';
import { layersOf } from '../digits/model.js';
import type { Sample } from '../digits/render.js';
import { serveFolder } from './server.js';
import { integer, line, percent } from './text.js';

const CHUNK_SIZE = 1000;
/** Of each large tensor: each is a step. */
const FRAGMENTS = 12;
/** Bytes per second: a poor connection. */
const RATE = 250_000;
/** Where the connection breaks, as parts of the file. */
const BREAKS = [0.1, 0.6];
/** Of the whole, at which the model computes. */
const QUALITIES = [0.5, 0.8, 0.9, 0.97, 0.99, 0.995, 0.999];

/**
 * Loads the whole model from one file over a slow connection that breaks twice, and uses it meanwhile.
 * @throws Error when a bit of the loaded model differs
 */
export async function demonstrateRemote(
  model: RandomAccessSource,
  original: ReadonlyMap<string, Tensor>,
  samples: readonly Sample[],
  folder: string,
): Promise<void> {
  console.log('\nOne file for the whole model, over a slow connection that breaks twice');
  const name = 'digits.holo.safetensors';
  const sink = await fileSink(join(folder, name));
  const { fileSize } = await encodeModelFile(
    [{ name: 'digits.safetensors', source: model }],
    sink,
    memoryStagingStore(),
    { encode: { fragments: FRAGMENTS } },
  );
  line('encoded', `${integer(model.size ?? 0)} bytes of safetensors → ${integer(fileSize)} bytes`);

  const disconnectAt = BREAKS.map((part) => Math.round(part * fileSize));
  await using server = await serveFolder(folder, CHUNK_SIZE, { rate: RATE, disconnectAt });
  let resumed = 0;
  const onEvent = ({ type }: { readonly type: string }) => {
    if (type === 'retry') resumed += 1;
  };
  await using remote = await openModel(`${server.url}${name}`, { http: { onEvent } });
  const report = (tensors: ReadonlyMap<string, LoadedTensor<OutputType>>) => {
    // Up to the end of the last fragment, headers included: the file has them in this order.
    const part = (100 * (fileSize - remote.plannedBytes())) / (model.size ?? 1);
    const worth = percent(accuracy(layersOf(tensors), samples));
    line(`${part.toFixed(1)} %`, `of the bytes: quality ${remote.quality.toFixed(4)}, accuracy ${worth}`);
  };
  // Nothing is fetched twice: each load goes on where the one before has stopped.
  let reported = 0;
  for (const quality of QUALITIES) {
    const tensors = await remote.load({ quality });
    // One fragment may bring more than one of the qualities.
    if (remote.quality > reported) report(tensors);
    reported = remote.quality;
  }
  const whole = await remote.load();
  for (const [tensorName, { data }] of original) {
    const loaded = whole.get(tensorName)?.data;
    const same = loaded instanceof Float32Array && Buffer.compare(viewBytes(loaded), viewBytes(data)) === 0;
    if (!same) throw new Error(`${tensorName} differs`);
  }
  report(whole);
  line(
    'resumed',
    `${resumed} times; every bit the same; ${integer(server.sent)} bytes sent for ${integer(fileSize)}`,
  );
}
