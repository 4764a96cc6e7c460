/** What every toolchain and engine has to build and run: it reads one file of each kind, as a user's program does. */

import {
  collectTensor,
  decodeHct,
  fromReadableStream,
  HctReader,
  HoloTensorReader,
  httpSource,
  openModel,
  WorkerError,
  WorkerPool,
} from 'holostream';
import { lastValueFrom, toArray } from 'rxjs';

/** Each reads from the server at `base` and gives the bytes that came out. */
const WAYS = {
  zstd: (base, workers) => readHct(`${base}zstd.hct`, workers),
  lz4: (base, workers) => readHct(`${base}lz4.hct`, workers),
  async embedded(base, workers) {
    const reader = await HoloTensorReader.open(httpSource(`${base}embedded.holo`), { workers });
    const { data } = await reader.readAll();
    await reader.close();
    return data;
  },
  async model(base, workers) {
    const model = await openModel(`${base}model.holo.safetensors`);
    try {
      const tensors = await model.load({ workers });
      return await joined([...tensors.values()].map(({ data }) => data));
    } finally {
      await model.close();
    }
  },
};

async function readHct(url, workers) {
  const reader = await HctReader.open(httpSource(url), { workers });
  const { data } = await reader.readAll();
  return data;
}

/**
 * @param base URL of a folder with the files
 * @returns SHA-256 of what came out of each, without workers, with a number of them and with a pool; and how it fails
 *   with a pool that is closed, which shows that workers are what decodes
 */
export async function check(base) {
  const pool = new WorkerPool(2);
  const alone = await digests(base);
  const two = await digests(base, 2);
  const pooled = await digests(base, pool);
  pool.close();
  return {
    alone,
    two,
    pooled,
    closed: await each((way) => way(base, pool).then(() => 'read without workers', failure)),
    streams: await streams(base),
    cosine: await partly(base),
  };
}

function digests(base, workers) {
  return each(async (way) => sha256(await way(base, workers)));
}

/** The streaming ways in: a body of fetch, and the same as an observable. */
async function streams(base) {
  const bodyOf = async (name) => (await fetch(`${base}${name}`)).body;
  const { data } = await collectTensor(await bodyOf('zstd.hct'));
  const blocks = fromReadableStream(await bodyOf('lz4.hct')).pipe(decodeHct(), toArray());
  return { zstd: await sha256(data), lz4: await sha256(await joined(await lastValueFrom(blocks))) };
}

/** What a model is worth of which only a part has been loaded. */
async function partly(base) {
  const model = await openModel(`${base}model.holo.safetensors`);
  await model.load({ quality: 0.9 });
  await model.close();
  return model.quality;
}

async function each(work) {
  const results = {};
  for (const [name, way] of Object.entries(WAYS)) results[name] = await work(way);
  return results;
}

function failure(error) {
  return error instanceof WorkerError ? error.message : `${error}`;
}

async function joined(parts) {
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function sha256(bytes) {
  const hash = await crypto.subtle.digest('SHA-256', bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
