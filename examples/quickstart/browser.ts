import { collectTensor, decodeHct, fromReadableStream } from 'holostream';

// One compressed tensor, decoded and verified while it arrives.
const url = 'https://example.org/model/fc1.weight.hct';
const { dtype, shape, data } = await collectTensor(await fetch(url));
console.log(dtype, shape, data.length);

// The same as an observable of decoded blocks, for a progress bar. Unsubscribing ends the request.
let received = 0;
fromReadableStream(await fetch(url))
  .pipe(decodeHct())
  .subscribe({
    next: (block) => {
      received += block.length;
    },
    complete: () => console.log(received, 'bytes of weights'),
  });
