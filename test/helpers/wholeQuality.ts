import { readModelFile } from '../../models/file/modelFile.js';
import { bytesSource } from '../../sources/bytes.js';
import { cosineSimilarity } from './encodings.js';
import { readTensors } from './trained.js';

/**
 * The mean cosine of the tensors of a decoded file with those of the original, by the weights in the model file; tensors that are
 * not F32 count as the same.
 */
export async function wholeQuality(
  decoded: Uint8Array,
  original: Uint8Array,
  modelFile: Uint8Array,
): Promise<number> {
  const { tensors } = await readModelFile(bytesSource(modelFile));
  const numbersOf = (file: Uint8Array) =>
    new Map(readTensors('', file).map(({ name, data }) => [name.slice(1), data]));
  const [actual, expected] = [numbersOf(decoded), numbersOf(original)];
  let [sum, total] = [0, 0];
  for (const { name, weight } of tensors) {
    const numbers = expected.get(name);
    sum += weight * (numbers === undefined ? 1 : cosineSimilarity(numbers, actual.get(name)!));
    total += weight;
  }
  return sum / total;
}
