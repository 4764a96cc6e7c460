import type { Stage } from '../../../src/stage.js';

/** Pushes chunks through a stage, without the streams around it. */
export async function drive<I, O>(stage: Stage<I, O>, chunks: readonly I[]): Promise<O[]> {
  const outputs: O[] = [];
  try {
    for (const chunk of chunks) for await (const output of stage.push(chunk)) outputs.push(output);
    for await (const output of stage.flush()) outputs.push(output);
  } finally {
    stage.close?.();
  }
  return outputs;
}

/** The bytes in chunks of different lengths, which follow from the bytes: short ones at the beginning. */
export function pieces(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, length = 1; at < bytes.length; at += length) {
    length = 1 + (bytes[at]! % (at < 200 ? 16 : 1000));
    chunks.push(bytes.subarray(at, at + length));
  }
  return chunks;
}
