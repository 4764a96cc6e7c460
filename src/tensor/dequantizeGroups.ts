/** The inner loop of dequantization: groups of `groupLength` values, the last may be shorter, have a scale each. */
export type DequantizeGroups = (
  values: Int8Array,
  scales: Float32Array,
  groupLength: number,
  zeroPoint: number,
  out: Float32Array,
) => void;

export const dequantizeGroups: DequantizeGroups = (values, scales, groupLength, zeroPoint, out) => {
  for (let group = 0, start = 0; start < values.length; group++, start += groupLength) {
    const scale = scales[group]!;
    const end = Math.min(start + groupLength, values.length);
    for (let i = start; i < end; i++) out[i] = (values[i]! - zeroPoint) * scale;
  }
};
