/** Code as users write it, for a browser or Node. */
import {
  bytesSource,
  collectTensor,
  decodeHct,
  fromReadableStream,
  HctDecoderStream,
  HctReader,
  httpSource,
  type LoadedTensor,
  memorySink,
  openModel,
} from 'holostream';

/** As runtimes take weights. */
declare function useWeights(name: string, data: Float32Array, shape: readonly number[]): void;

export async function loadModel(url: string): Promise<ReadonlyMap<string, LoadedTensor>> {
  const source = httpSource(url, { headers: { authorization: 'Bearer …' }, retry: false });
  const model = await openModel(source);
  model.progress$.subscribe(({ bytes, totalBytes }) => console.log(bytes / totalBytes));
  const tensors = await model.load({ quality: 0.97 });
  for (const [name, { data, shape }] of tensors) useWeights(name, data, shape);
  const half: Uint16Array = (await model.tensor('w', { as: 'BF16' })).data;
  console.log(half.length);
  await model.close();
  return tensors;
}

export async function readTensor(url: string): Promise<void> {
  const { dtype, shape, data } = await collectTensor((await fetch(url)).body);
  console.log(dtype, shape, data.length);
  const response = await fetch(url);
  fromReadableStream(response.body)
    .pipe(decodeHct())
    .subscribe((bytes: Uint8Array) => console.log(bytes.length));
  const decoded = httpSource(url).stream().pipeThrough(new HctDecoderStream());
  const { value } = await decoded.getReader().read();
  console.log(value?.length);
}

export async function readRows(bytes: Uint8Array): Promise<void> {
  const reader = await HctReader.open(bytesSource(bytes));
  console.log((await reader.readRows(0, 2)).data.length);
}

export function collected(): number {
  const sink = memorySink();
  return sink.bytes.length;
}
