import { join } from 'node:path';
import {
  FragmentDecoderStream,
  type HolographicEncoding,
  HoloTensorDecoder,
  httpSource,
  loadDecodings,
  type ReceivedFragment,
  type Tensor,
} from 'holostream';
import { encodeToFile } from 'holostream/node';
import { accuracy } from '../digits/mlp.js';
import { layersOf } from '../digits/model.js';
import type { Sample } from '../digits/render.js';
import { serveFolder } from './server.js';
import { integer, line, percent } from './text.js';

const CHUNK_SIZE = 1000;
const FRAGMENTS = 8;

/**
 * Receives the model as fragments, and uses it after each one.
 * @throws Error when the complete model is less accurate than the original
 */
export async function demonstrateFragments(
  original: ReadonlyMap<string, Tensor<'F32'>>,
  samples: readonly Sample[],
  folder: string,
  encoding: HolographicEncoding,
): Promise<void> {
  console.log(
    `\nHoloTensor, ${encoding}: the model after each of ${FRAGMENTS} fragments, on ${samples.length} images`,
  );
  const names = [...original.keys()];
  for (const [name, tensor] of original) {
    await encodeToFile(join(folder, `${name}.holo`), tensor, encoding, { fragments: FRAGMENTS });
  }
  await using server = await serveFolder(folder, CHUNK_SIZE);
  await loadDecodings([encoding]);
  const arriving = names.map((name) => ({
    name,
    decoder: undefined as HoloTensorDecoder | undefined,
    fragments: fragmentsOf(new URL(`${name}.holo`, server.url)),
  }));
  let bytes = 0;
  let worth = 0;
  for (let k = 1; k <= FRAGMENTS; k++) {
    for (const tensor of arriving) {
      const { value: fragment } = await tensor.fragments.read();
      if (fragment === undefined) continue;
      tensor.decoder ??= new HoloTensorDecoder(fragment.header);
      tensor.decoder.addFragment(fragment);
      bytes += fragment.entry.compressedSize;
    }
    const model = new Map(arriving.map(({ name, decoder }) => [name, tensorOf(decoder!)]));
    worth = accuracy(layersOf(model), samples);
    const cosines = arriving.map(({ decoder }) => decoder!.quality.cosine!);
    line(
      `${k} of ${FRAGMENTS}`,
      `${integer(bytes)} bytes, cosine at least ${Math.min(...cosines).toFixed(4)}: accuracy ${percent(worth)}`,
    );
  }
  const whole = accuracy(layersOf(original), samples);
  if (worth !== whole) throw new Error(`accuracy is ${worth}, was ${whole}`);
}

function fragmentsOf(url: URL): ReadableStreamDefaultReader<ReceivedFragment> {
  return httpSource(url).stream().pipeThrough(new FragmentDecoderStream()).getReader();
}

function tensorOf(decoder: HoloTensorDecoder): Tensor<'F32'> {
  return { dtype: 'F32', shape: decoder.header.shape, data: decoder.reconstruct() };
}
