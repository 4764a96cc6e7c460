import { openModel } from 'holostream';

// One file, made by `holostream encode model.safetensors -o model.holo.safetensors`, on any static file server.
const model = await openModel('https://example.org/model/model.holo.safetensors');
model.progress$.subscribe(({ bytes, totalBytes, quality }) => {
  console.log(`${bytes} of ${totalBytes} bytes, cosine similarity ${quality.toFixed(4)}`);
});

// Usable weights for a fraction of the bytes.
const first = await model.load({ quality: 0.97 });
console.log(first.get('fc1.weight')?.shape, first.get('fc1.weight')?.cosine);

// The rest, now exact. Nothing is fetched twice, and broken connections are resumed.
const tensors = await model.load();
console.log('exact:', tensors.get('fc1.weight')?.complete);
await model.close();
