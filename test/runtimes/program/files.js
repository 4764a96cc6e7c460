/** What `holostream/node` adds: `files.js FOLDER` writes files there, and reads them in worker threads. */

import { join } from 'node:path';
import { HctReader, HctWriter, HoloTensorReader, viewBytes } from 'holostream';
import { encodeToFile, fileSink, fileSource } from 'holostream/node';

const [folder] = process.argv.slice(2);
const shape = [1024, 1200];
const data = Float32Array.from({ length: 1024 * 1200 }, (_, i) => Math.sin(i) * (i % 97));

const hct = join(folder, 'weights.hct');
const writer = new HctWriter(await fileSink(hct), { dtype: 'F32', shape, algorithm: 'zstd' });
await writer.write(viewBytes(data));
await writer.close();
const holo = join(folder, 'weights.holo');
await encodeToFile(holo, { dtype: 'F32', shape, data }, 'embedded', { fragments: 4 });

const differences = {};
for (const [path, Reader] of [
  [hct, HctReader],
  [holo, HoloTensorReader],
]) {
  const reader = await Reader.open(await fileSource(path), { workers: 2 });
  const read = (await reader.readAll()).data;
  differences[Reader.name] = data.filter((value, i) => read[i] !== value).length + read.length - data.length;
  await reader.close?.();
}
console.log(JSON.stringify(differences));
