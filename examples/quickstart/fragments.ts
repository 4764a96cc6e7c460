import { FragmentDecoderStream, QualityLimiterStream, ReconstructionStream } from 'holostream';
import { encodeToFile, fileSource } from 'holostream/node';

// Cut a tensor into fragments: the high bits of every weight first, exact at the end.
const data = new Float32Array(512 * 768).map(() => Math.random() - 0.5);
await encodeToFile('weights.holo', { dtype: 'F32', shape: [512, 768], data }, 'embedded', { fragments: 16 });

// Stream it, as the body of a fetch would come: better with each fragment, until it is good enough.
const file = await fileSource('weights.holo');
const tensors = file
  .stream()
  .pipeThrough(new FragmentDecoderStream())
  .pipeThrough(new ReconstructionStream())
  .pipeThrough(new QualityLimiterStream(0.99));
for await (const { quality, fragments, total } of tensors) {
  console.log(`fragment ${fragments} of ${total}: cosine similarity ${quality.cosine!.toFixed(4)}`);
}
await file.close();
