/** Makes a model file of a safetensors file. Usage: encode-model IN OUT */
import { basename } from 'node:path';
import { encodeModelFile, memoryStagingStore } from 'holostream';
import { fileSink, fileSource } from 'holostream/node';

const [input = '', output = ''] = process.argv.slice(2);
await using source = await fileSource(input);
const { originalSize, fileSize, encoded, tensors } = await encodeModelFile(
  [{ name: basename(input), source }],
  await fileSink(output),
  memoryStagingStore(),
  { onProgress: (bytes, total) => console.log(`${Math.round((100 * bytes) / total)} %`) },
);
console.log(`${originalSize} -> ${fileSize} bytes, ${encoded} of ${tensors} tensors in fragments`);
