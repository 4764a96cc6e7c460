/**
 * Loads a model from a hub, and says how good it is. Usage: hub.js blob|name HUB PATH QUALITY; `blob` takes the file as
 * @huggingface/hub gives it, `name` by its name.
 */
import { createHash } from 'node:crypto';
import { downloadFile } from '@huggingface/hub';
import { openModel } from 'holostream';

const [how, hub, path, quality] = process.argv.slice(2);
process.env.HF_ENDPOINT = hub;
const hubUrl = hub.replace(/\/$/, '');
const input =
  how === 'name' ? `hf:org/files/${path}` : await downloadFile({ repo: 'org/files', path, hubUrl });
const model = await openModel(input);
const tensors = await model.load({ quality: Number(quality), as: 'source' });
const hash = createHash('sha256');
for (const { data } of tensors.values())
  hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
const kind = input.constructor.name;
console.log(JSON.stringify({ kind, quality: model.quality, sha256: hash.digest('hex') }));
await model.close();
