import * as assert from 'uvu/assert';
import { decodeModelFile } from '../../models/file/decodeModelFile.js';
import { encodeModelFile } from '../../models/file/encodeModelFile.js';
import type { EncodeModelFileOptions } from '../../models/file/encodeOptions.js';
import type { ModelFile } from '../../models/file/modelFile.js';
import { memoryStagingStore } from '../../models/file/stagingStore.js';
import { memorySink } from '../../sinks/memory.js';
import { bytesSource } from '../../sources/bytes.js';

/** The bytes of a model file made of these safetensors files. */
export async function encodeToModelFile(
  files: Record<string, Uint8Array>,
  options?: EncodeModelFileOptions,
  staging = memoryStagingStore(),
): Promise<Uint8Array> {
  const sink = memorySink();
  const inputs = Object.entries(files).map(([name, bytes]) => ({ name, source: bytesSource(bytes) }));
  const stats = await encodeModelFile(inputs, sink, staging, options);
  assert.is(stats.fileSize, sink.bytes.length);
  return sink.bytes;
}

/** The bytes of a model file made of one safetensors file. */
export function modelFileOf(bytes: Uint8Array, options?: EncodeModelFileOptions): Promise<Uint8Array> {
  return encodeToModelFile({ 'model.safetensors': bytes }, options);
}

/** The safetensors files that a model file was made of. */
export async function decodeFromModelFile(
  file: Uint8Array,
): Promise<{ files: Record<string, Uint8Array>; model: ModelFile }> {
  const files: Record<string, Uint8Array> = {};
  const model = await decodeModelFile(bytesSource(file), async (name) => {
    const sink = memorySink();
    return {
      ...sink,
      async close() {
        await sink.close();
        files[name] = sink.bytes;
      },
    };
  });
  return { files, model };
}
