import { type EncodeModelFileOptions, encodeModelFile } from '../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../models/file/memoryStagingStore.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';

/** The bytes of a model file made of one safetensors file. */
export async function modelFileOf(bytes: Uint8Array, options?: EncodeModelFileOptions): Promise<Uint8Array> {
  const sink = memorySink();
  await encodeModelFile(
    [{ name: 'model.safetensors', source: bytesSource(bytes) }],
    sink,
    memoryStagingStore(),
    options,
  );
  return sink.bytes;
}
