/** Where a value is between the ends of an axis. */
export type Scale = (value: number) => number;

export function linear(low: number, high: number, from: number, to: number): Scale {
  return (value) => from + ((value - low) / (high - low || 1)) * (to - from);
}

/** Values outside are at the ends. */
export function logarithmic(low: number, high: number, from: number, to: number): Scale {
  const inner = linear(Math.log(low), Math.log(high), from, to);
  return (value) => inner(Math.log(Math.min(high, Math.max(low, value))));
}
