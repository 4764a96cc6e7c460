/**
 * All bytes of a stream that is known to give `length` of them (or to fail). The memory is taken with the first
 * chunk: by then the source has found that the range is there.
 */
export async function readExactly(stream: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  let bytes: Uint8Array | undefined;
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes ?? new Uint8Array(0);
    // The usual small read comes as one chunk, which is the source's to give away.
    if (bytes === undefined && value.length === length) bytes = value;
    else {
      bytes ??= new Uint8Array(length);
      bytes.set(value, filled);
    }
    filled += value.length;
  }
}
