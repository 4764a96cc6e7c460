import * as assert from 'uvu/assert';
import { type EncodeModelOptions, encodeModel } from '../../../models/directory/encodeModel.js';
import { ModelReader } from '../../../models/directory/modelReader.js';
import { type MemorySink, memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import { FormatError } from '../../../src/errors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { viewBytes } from '../../../src/tensor/tensor.js';

/** The files of a model directory by their names. */
export type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** @param model a file, or several by their names */
export async function encodeToMemory(
  model: Uint8Array | Readonly<Record<string, Uint8Array>>,
  options?: EncodeModelOptions,
): Promise<Files> {
  const sinks = new Map<string, MemorySink>();
  await encodeModel(
    model instanceof Uint8Array
      ? bytesSource(model)
      : Object.entries(model).map(([name, bytes]) => ({ name, source: bytesSource(bytes) })),
    async (name) => {
      const sink = memorySink();
      sinks.set(name, sink);
      return sink;
    },
    options,
  );
  return new Map(Array.from(sinks, ([name, sink]) => [name, sink.bytes]));
}

export function openFromMemory(files: Files): Promise<ModelReader> {
  return ModelReader.open((name) => {
    const file = files.get(name);
    if (file === undefined) throw new FormatError('no such file', { name });
    return bytesSource(file);
  });
}

/** Asserts that the directory gives all tensors of a safetensors file bit for bit. */
export async function checkModelDirectory(files: Files, model: Uint8Array): Promise<void> {
  const reader = await openFromMemory(files);
  const { tensors, metadata } = parseSafetensorsHeader(model);
  assert.equal(reader.manifest.metadata, metadata);
  assert.equal(
    reader.manifest.tensors.map(({ name }) => name),
    tensors.map(({ name }) => name),
  );
  for (const { name, dtype, shape, offset, byteLength } of tensors) {
    const read = await reader.read(name);
    assert.is(read.dtype, dtype);
    assert.equal(read.shape, shape);
    const expected = model.subarray(offset, offset + byteLength);
    assert.is(Buffer.compare(viewBytes(read.data), expected), 0, name);
  }
}
