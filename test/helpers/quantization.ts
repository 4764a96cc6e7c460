/** Metadata of eight bits with one scale, which is 1. */
export const INT8_SCALE_1 = {
  scheme: 'symmetric-int8',
  perGroupScales: false,
  scaleBits: 0x3c00,
  zeroPoint: 0,
  groupSize: 0,
} as const;
