import { type LoadedTensor, openModel } from 'holostream';

// One file, made by `holostream encode model.safetensors -o model.holo.safetensors`, on any static file server.
const model = await openModel('https://example.org/model/model.holo.safetensors');
model.progress$.subscribe(({ bytes, totalBytes, quality }) => {
  console.log(`${bytes} of ${totalBytes} bytes, cosine similarity ${quality.toFixed(4)}`);
});

// Usable weights for a fraction of the bytes.
const first = await model.load({ quality: 0.97 });
// The quality is that of the whole model: single tensors are better or worse.
console.log(first.get('fc1.weight')?.shape, first.get('fc1.weight')?.cosine);

// An inference: two dense layers on an image of 784 pixels. `data` holds numbers, row by row.
const image = new Float32Array(784).fill(0.1);
const hidden = dense(first, 'fc1', image).map((sum) => Math.max(0, sum));
const scores = dense(first, 'fc2', hidden);
console.log('class', scores.indexOf(Math.max(...scores)));

// The rest, now exact. Nothing is fetched twice, and broken connections are resumed.
const tensors = await model.load();
console.log('exact:', tensors.get('fc1.weight')?.complete);
await model.close();

function dense(tensors: ReadonlyMap<string, LoadedTensor>, layer: string, input: Float32Array) {
  const weights = tensors.get(`${layer}.weight`)!.data;
  return Float32Array.from(tensors.get(`${layer}.bias`)!.data, (bias, row) =>
    input.reduce((sum, value, column) => sum + value * weights[row * input.length + column]!, bias),
  );
}
