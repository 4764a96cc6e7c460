// A thread that decodes a file as often as it is told, without a pool: what two of them gain over one is what the
// machine allows.
import { parentPort, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { bytesSource } = await import('../sources/bytes.ts');
const { HoloTensorReader } = await import('../readers/holotensorReader.ts');

const { file, out } = workerData;
parentPort.on('message', async (times) => {
  for (let i = 0; i < times; i++) await (await HoloTensorReader.open(bytesSource(file))).readAll({ out });
  parentPort.postMessage(times);
});
