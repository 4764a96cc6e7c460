/**
 * Weights of which only the high bits have arrived: multiples of an interval, plus half an interval, because each stands
 * for all magnitudes up to the next multiple. Weights below one interval are 0.
 * @param interval in units of the weights' root mean square; 0 leaves them as they are
 */
export function coarsened(weight: Float32Array, interval: number): Float32Array {
  if (interval === 0) return weight;
  const squares = weight.reduce((sum, value) => sum + value * value, 0);
  const width = interval * Math.sqrt(squares / weight.length);
  return weight.map((value) => {
    const steps = Math.trunc(value / width);
    return steps === 0 ? 0 : (steps + Math.sign(steps) / 2) * width;
  });
}
