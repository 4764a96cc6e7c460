/** A sentence as transformers.js embeds it, with weights of a quality, in Node and in a page. */
import { env, pipeline } from '@huggingface/transformers';
import { createFetch } from 'holostream/fetch';

/** @param host the URL of what has the model, which is asked for in place of the hub */
export async function embed(host, quality) {
  env.remoteHost = host;
  env.remotePathTemplate = '{model}/';
  env.allowLocalModels = false;
  // It caches whatever it gets under the name of the original: each quality has a cache of its own.
  env.cacheKey = `transformers-${quality}`;
  env.cacheDir = `./cache-${quality}/`;
  env.fetch = createFetch({
    quality,
    match: ({ pathname }) => (pathname.endsWith('/model.onnx_data') ? 'model.holo.safetensors' : undefined),
  });
  const model = await pipeline('feature-extraction', 'tiny', {
    dtype: 'fp32',
    use_external_data_format: true,
  });
  const { dims, data } = await model('one two three');
  await model.dispose();
  return { dims, data: [...data] };
}
