import { encodeModel, type RandomAccessSource, type Tensor, viewBytes } from 'holostream';
import { modelFolderSink } from 'holostream/node';
import { accuracy } from '../digits/mlp.js';
import { layersOf } from '../digits/model.js';
import type { Sample } from '../digits/render.js';
import { serveFolder } from './server.js';
import { streamModel } from './streamModel.js';
import { integer, line, percent } from './text.js';

/** Smaller than any block, so that every block arrives in pieces. */
const CHUNK_SIZE = 1000;

/**
 * The main job: encodes a model as HCT, streams it back over HTTP, and checks that it works as before.
 * @throws Error when a bit or the accuracy differs
 */
export async function demonstrateHct(
  model: RandomAccessSource,
  original: ReadonlyMap<string, Tensor>,
  samples: readonly Sample[],
  folder: string,
): Promise<void> {
  console.log('\nHCT: compressed tensors, a file each, streamed over HTTP');
  const sink = await modelFolderSink(folder);
  const { tensors } = await encodeModel(model, sink.openFile, { algorithm: 'zstd' });
  await sink.close();
  const originalSize = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const fileSize = tensors.reduce((sum, tensor) => sum + tensor.fileSize, 0);
  line('encoded', `${tensors.length} tensors: ${integer(originalSize)} bytes → ${integer(fileSize)} bytes`);

  await using server = await serveFolder(folder, CHUNK_SIZE);
  const started = performance.now();
  const streamed = await streamModel(server.url);
  const seconds = (performance.now() - started) / 1000;
  const rate = server.sent / 1e6 / seconds;
  line(
    'streamed',
    `${integer(server.sent)} bytes in chunks of ${CHUNK_SIZE} in ${seconds.toFixed(2)} s, ${rate.toFixed(1)} MB/s`,
  );
  line('verified', `${streamed.checksums} checksums`);

  for (const [name, { data }] of original) {
    const arrived = streamed.tensors.get(name);
    if (arrived === undefined || Buffer.compare(viewBytes(arrived.data), viewBytes(data)) !== 0) {
      throw new Error(`${name} differs from what was encoded`);
    }
  }
  line('compared', `${original.size} tensors, every bit the same`);
  const [before, after] = [original, streamed.tensors].map((which) => accuracy(layersOf(which), samples));
  if (before !== after) throw new Error(`accuracy is ${after}, was ${before}`);
  line('accuracy', `${percent(after!)} of ${samples.length} held-out images, as before`);
}
