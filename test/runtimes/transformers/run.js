/** A sentence as transformers.js embeds it, with weights of a quality. usage: node run.js URL QUALITY */
import { env, pipeline } from '@huggingface/transformers';
import { createFetch } from 'holostream/fetch';

const [url, quality] = process.argv.slice(2);
env.remoteHost = url;
env.remotePathTemplate = '{model}/';
env.allowLocalModels = false;
// It caches whatever it gets under the name of the original: each quality has a cache of its own.
env.cacheDir = `./cache-${quality}/`;
env.fetch = createFetch({
  quality: Number(quality),
  match: ({ pathname }) => (pathname.endsWith('/model.onnx_data') ? 'model.holo.safetensors' : undefined),
});
const embed = await pipeline('feature-extraction', 'tiny', { dtype: 'fp32', use_external_data_format: true });
const { dims, data } = await embed('one two three');
await embed.dispose();
console.log(JSON.stringify({ dims, data: [...data] }));
