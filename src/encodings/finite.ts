import { ArgumentError } from '../errors.js';

/**
 * For encodings that mix all elements with each other: one NaN or infinity would spoil the whole tensor.
 * @throws ArgumentError naming the first index (row-major) whose value is not finite
 */
export function assertFinite(values: Float32Array): void {
  let index = 0;
  while (index < values.length && Number.isFinite(values[index])) index += 1;
  if (index === values.length) return;
  throw new ArgumentError(`this encoding cannot carry a value that is not finite: element ${index}`, {
    expected: 'a finite number',
    actual: values[index],
  });
}
