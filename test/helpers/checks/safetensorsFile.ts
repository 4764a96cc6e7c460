import * as assert from 'uvu/assert';
import { readSafetensorsHeader } from '../../../readers/safetensors.js';
import { memorySink } from '../../../sinks/memory.js';
import { SafetensorsWriter } from '../../../sinks/safetensors.js';
import { parseSafetensorsHeader } from '../../../src/safetensors/parse.js';
import { serializeSafetensorsHeader } from '../../../src/safetensors/serialize.js';
import type { RandomAccessSource } from '../../../src/source.js';

/** Asserts that a header's entries are what `JSON.parse` makes of them, and the same bytes when written again. */
export function checkSafetensorsHeader(file: string, bytes: Uint8Array): void {
  const header = parseSafetensorsHeader(bytes, { fileSize: bytes.length });
  assert.is(header.fileSize, bytes.length);
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, header.byteLength)),
  ) as Record<string, { shape: number[]; dtype: string; data_offsets: [number, number] }>;
  assert.equal(Object.fromEntries(header.metadata), metadata);
  assert.is(header.tensors.length, Object.keys(entries).length);
  for (const { name, dtype, shape, offset, byteLength } of header.tensors) {
    const begin = offset - header.byteLength;
    assert.equal({ dtype, shape, data_offsets: [begin, begin + byteLength] }, entries[name]);
  }
  const written = serializeSafetensorsHeader(header.tensors, header.metadata);
  assert.equal(written.header, header, file);
  assert.equal(written.bytes, bytes.slice(0, header.byteLength), file);
}

/** Asserts that a file, written tensor by tensor in reverse order, comes out byte for byte. */
export async function checkSafetensorsWriter(
  file: string,
  source: RandomAccessSource,
  bytes: Uint8Array,
): Promise<void> {
  const { tensors, metadata } = await readSafetensorsHeader(source);
  const sink = memorySink();
  const writer = await SafetensorsWriter.open(sink, tensors, { metadata });
  for (const { name, offset, byteLength } of tensors.toReversed()) {
    await source.stream({ start: offset, end: offset + byteLength }).pipeTo(writer.writable(name));
  }
  await writer.close();
  assert.ok(Buffer.from(sink.bytes.buffer, 0, sink.bytes.length).equals(bytes), file);
}
