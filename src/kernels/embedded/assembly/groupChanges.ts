// What groups add to energies by a pass: `../portable/groupChanges.ts` does the same, in the same order.

/** Where a pass puts weights, f64: steps of its plane in one of the lowest, its step, a weight within it, one without a bit. */
const PER_STEP: usize = 0;
const STEP: usize = 8;
const INSIDE: usize = 16;
const OF_ZERO: usize = 24;
/** In dense groups: there are so many weights of at least so much, f64, or the scale of the group is at least so much, f64. */
const LEAST: usize = 32;
const LEAST_SCALE: usize = 40;
const PLACING_BYTES: usize = 48;

const GROUP: u32 = 64;
const F64_BIAS: u64 = 1023;
const F64_MANTISSA: u64 = 52;

/**
 * Of each group two f64 to `out`: what is added to the squares of its weights as they are put, and to those of their errors.
 * @param patterns u32, or u16 where `isShort`
 * @param placings of the pass, and of the one before
 * @param magnitudes room for a group, f64
 */
export function groupChanges(
  patterns: usize,
  weights: u32,
  isShort: bool,
  mantissaBits: u32,
  exponentBits: u32,
  unit: f64,
  scales: usize,
  threshold: u32,
  placings: usize,
  magnitudes: usize,
  out: usize,
): void {
  const then = placings + PLACING_BYTES;
  const perStepNow = load<f64>(placings, PER_STEP);
  const stepNow = load<f64>(placings, STEP);
  const insideNow = load<f64>(placings, INSIDE);
  const perStepThen = load<f64>(then, PER_STEP);
  const stepThen = load<f64>(then, STEP);
  const insideThen = load<f64>(then, INSIDE);
  const leastNow = load<f64>(placings, LEAST);
  const leastThen = load<f64>(then, LEAST);
  const ones: u32 = 1 << mantissaBits;
  const fields: u32 = (1 << exponentBits) - 1;
  for (let first: u32 = 0; first < weights; first += GROUP, scales += 1, out += 16) {
    const count = min(GROUP, weights - first);
    let largeNow: u32 = 0;
    let largeThen: u32 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const place = <usize>(first + i);
      const pattern = isShort ? <u32>load<u16>(patterns + (place << 1)) : load<u32>(patterns + (place << 2));
      const exponent = (pattern >> mantissaBits) & fields;
      const mantissa = pattern & (ones - 1);
      const power = reinterpret<f64>((<u64>exponent + F64_BIAS) << F64_MANTISSA);
      const magnitude = unit * (exponent == 0 ? <f64>(2 * mantissa) : <f64>(ones + mantissa) * power);
      store<f64>(magnitudes + (<usize>i << 3), magnitude);
      largeNow += u32(magnitude >= leastNow);
      largeThen += u32(magnitude >= leastThen);
    }
    const scale = <f64>load<u8>(scales);
    const zeroNow = largeNow >= threshold || scale >= load<f64>(placings, LEAST_SCALE) ? load<f64>(placings, OF_ZERO) : 0;
    const zeroThen = largeThen >= threshold || scale >= load<f64>(then, LEAST_SCALE) ? load<f64>(then, OF_ZERO) : 0;
    let square: f64 = 0;
    let dot: f64 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const magnitude = load<f64>(magnitudes + (<usize>i << 3));
      const stepsNow = floor<f64>(magnitude * perStepNow);
      const stepsThen = floor<f64>(magnitude * perStepThen);
      const valueNow = select<f64>((stepsNow + insideNow) * stepNow, zeroNow, stepsNow > 0);
      const valueThen = select<f64>((stepsThen + insideThen) * stepThen, zeroThen, stepsThen > 0);
      square += (valueNow - valueThen) * (valueNow + valueThen);
      dot += magnitude * (valueNow - valueThen);
    }
    store<f64>(out, square);
    store<f64>(out, square - 2 * dot, 8);
  }
}
