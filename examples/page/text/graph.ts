import type { GraphPlaces } from './protocol.js';

/** The file of the graph with these weights in it; those that have not come yet are 0. */
export function graphWith(
  { size, weights }: GraphPlaces,
  others: Uint8Array,
  tensors: ReadonlyMap<string, { readonly data: Float32Array }>,
): Uint8Array {
  const file = new Uint8Array(size);
  let [at, from] = [0, 0];
  for (const { name, offset, length } of weights) {
    file.set(others.subarray(from, from + offset - at), at);
    from += offset - at;
    at = offset + length;
    const data = tensors.get(name)?.data;
    if (data !== undefined) file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  }
  file.set(others.subarray(from), at);
  return file;
}

/** The best class of each step, repeats joined and blanks dropped: what networks with a CTC loss mean. */
export function readClasses(
  scores: ArrayLike<number>,
  classes: number,
  characters: readonly string[],
): string {
  let text = '';
  let before = 0;
  for (let start = 0; start < scores.length; start += classes) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (scores[start + c]! > scores[start + best]!) best = c;
    if (best !== 0 && best !== before) text += characters[best] ?? '?';
    before = best;
  }
  return text;
}
