import { memorySink } from '../../sinks/memory.js';
import { memorySpool } from '../../sinks/memorySpool.js';
import { bytesSource } from '../../sources/bytes.js';
import { type EncodeModelFileOptions, encodeModelFile } from '../../src/holoModel/index.js';

/** The bytes of a model file made of one safetensors file. */
export async function modelFileOf(bytes: Uint8Array, options?: EncodeModelFileOptions): Promise<Uint8Array> {
  const sink = memorySink();
  await encodeModelFile(
    [{ name: 'model.safetensors', source: bytesSource(bytes) }],
    sink,
    memorySpool(),
    options,
  );
  return sink.bytes;
}
