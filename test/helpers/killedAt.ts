/**
 * Run as a process of its own: replaces a model folder, or writes a file, and kills itself before the n-th change to the
 * names in the file system. Arguments: `folder` or `file`, the path, n.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [kind, path, at] = process.argv.slice(2) as [string, string, string];
let changes = 0;

for (const name of ['mkdir', 'open', 'rename', 'rm', 'rmdir'] as const) {
  const original = fs[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(fs, {
    [name]: async (...args: unknown[]) => {
      if (changes++ === Number(at)) {
        process.kill(process.pid, 'SIGKILL');
        await new Promise(() => {});
      }
      return original(...args);
    },
  });
}
syncBuiltinESMExports();

// Loaded after that: what they import has the functions above.
const { modelFolderSink } = await import('../../models/directory/modelFolder.js');
const { encodeModel } = await import('../../models/directory/encodeModel.js');
const { fileSink } = await import('../../sinks/file.js');
const { bytesSource } = await import('../../sources/bytes.js');
const { modelOf } = await import('./models.js');

if (kind === 'folder') {
  const sink = await modelFolderSink(path);
  await encodeModel(bytesSource(modelOf([{ name: 'new', dtype: 'F32', shape: [30, 40] }])), sink.openFile);
  await sink.close();
} else {
  const sink = await fileSink(path);
  await sink.write(new Uint8Array(1000), 0);
  await sink.close();
}
