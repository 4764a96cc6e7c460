/** Where the compiler's library knows `await using`. */
import { bytesSource, openModel } from 'holostream';
import { fileSink, fileSource } from 'holostream/node';

export async function copy(path: string): Promise<number> {
  await using model = await openModel(bytesSource(new Uint8Array()));
  await using source = await fileSource(path);
  await using sink = await fileSink(`${path}.copy`);
  await sink.write(await source.read(0, source.size), 0);
  return model.tensors.length;
}
