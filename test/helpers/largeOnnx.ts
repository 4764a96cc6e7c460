/**
 * Writes an ONNX model of a size, encodes it, and decodes what it has become; prints the peak of memory in bytes.
 * usage: largeOnnx.ts <folder> <bytes>
 */
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeModelFile, encodeModelFile, openForeignModel } from '../../index.js';
import { fileSink, fileSource, folderStagingStore } from '../../node.js';
import { message } from './onnxWriter.js';

const [folder, size] = process.argv.slice(2) as [string, string];
const at = (name: string) => join(folder, name);

/** Elements of a tensor, F32. */
const ELEMENTS = 2 ** 22;
const count = Math.ceil(Number(size) / (4 * ELEMENTS));

/** What precedes a message of this many bytes in another. */
function headOf(field: number, length: number): Uint8Array {
  const bytes = [(field << 3) | 2];
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

async function write(): Promise<void> {
  const data = Float32Array.from({ length: ELEMENTS }, (_, i) => Math.sin(i) * Math.sin(i / 977) * 0.02);
  const file = await open(at('model.onnx'), 'w');
  const tensor = (i: number) => {
    const fields = message([
      [1, 2048],
      [1, ELEMENTS / 2048],
      [2, 1],
      [8, `w${i}`],
    ]);
    const raw = headOf(9, data.byteLength);
    const length = fields.length + raw.length + data.byteLength;
    return { head: Buffer.concat([headOf(5, length), fields, raw]), length };
  };
  const tensors = Array.from({ length: count }, (_, i) => tensor(i));
  const graph = tensors.reduce((sum, { head }) => sum + head.length + data.byteLength, 0);
  await file.writeFile(Buffer.concat([message([[1, 8]]), headOf(7, graph)]));
  for (const [i, { head }] of tensors.entries()) {
    data[i] = i;
    await file.writeFile(head);
    await file.writeFile(new Uint8Array(data.buffer));
  }
  await file.writeFile(message([[8, message([[2, 13]])]]));
  await file.close();
}

/** Whether a file has the bytes of a source. */
async function isSame(path: string, source: { read(offset: number, length: number): Promise<Uint8Array> }) {
  let at = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    const expected = await source.read(at, chunk.length);
    if (!chunk.equals(expected)) return false;
    at += chunk.length;
  }
  return at > 0;
}

await write();
const source = await fileSource(at('model.onnx'));
const model = await openForeignModel(source, { name: 'model.onnx' });
const staging = await folderStagingStore(at('staging'));
await encodeModelFile(model.files, await fileSink(at('model.holo.safetensors')), staging);
await staging.remove();
const encoded = await fileSource(at('model.holo.safetensors'));
await decodeModelFile(encoded, (name) => fileSink(at(name)));
await encoded.close?.();
const same = await isSame(at('model.safetensors'), model.files[0]!.source);
await source.close?.();
// Not resourceUsage().maxRSS: Linux counts into it the memory of the process that this one was forked from.
const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
console.log(JSON.stringify({ peak: 1024 * Number(kilobytes), same, tensors: count }));
