import { collectTensor, decodeHct, fromReadableStream } from 'holostream';

// One compressed tensor, decoded and verified while it arrives.
const response = await fetch('https://example.org/model/fc1.weight.hct');
const { dtype, shape, data } = await collectTensor(response.body!);
console.log(dtype, shape, data.length);

// The same as an observable of decoded blocks, for a progress bar. Unsubscribing ends the request.
const { body } = await fetch('https://example.org/model/fc1.weight.hct');
let received = 0;
fromReadableStream(body!)
  .pipe(decodeHct())
  .subscribe({
    next: (block) => {
      received += block.length;
    },
    complete: () => console.log(received, 'bytes of weights'),
  });
