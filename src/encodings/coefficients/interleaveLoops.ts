/**
 * The inner loops of `Interleaver`, over whole groups of one coefficient per fragment: from place `at` of a stretch of the
 * raster on, to or from places `group` and following of each fragment's part. There are as many groups as rotations.
 */

type Loop<Parts> = (
  stretch: Float32Array,
  at: number,
  rotations: Uint16Array,
  parts: Parts,
  group: number,
) => void;

/** Rotations are all 0: four fragments at a time, which is twice as fast as one by one. */
export const interleavePlain: Loop<readonly Float32Array[]> = (
  stretch,
  at,
  { length: groups },
  parts,
  group,
) => {
  const n = parts.length;
  const end = group + groups;
  let fragment = 0;
  for (; fragment + 4 <= n; fragment += 4) {
    const a = parts[fragment]!;
    const b = parts[fragment + 1]!;
    const c = parts[fragment + 2]!;
    const d = parts[fragment + 3]!;
    for (let to = group, from = at + fragment; to < end; to++, from += n) {
      a[to] = stretch[from]!;
      b[to] = stretch[from + 1]!;
      c[to] = stretch[from + 2]!;
      d[to] = stretch[from + 3]!;
    }
  }
  for (; fragment < n; fragment++) {
    const part = parts[fragment]!;
    for (let to = group, from = at + fragment; to < end; to++, from += n) part[to] = stretch[from]!;
  }
};

export const interleaveRotated: Loop<readonly Float32Array[]> = (stretch, at, rotations, parts, group) => {
  const n = parts.length;
  for (let fragment = 0; fragment < n; fragment++) {
    const part = parts[fragment]!;
    for (let i = 0, from = at; i < rotations.length; i++, from += n) {
      // No branch on random numbers: half of them would be predicted wrong.
      const place = fragment - rotations[i]!;
      part[group + i] = stretch[from + (place + (n & (place >> 31)))]!;
    }
  }
};

export const gatherPlain: Loop<readonly (Float32Array | undefined)[]> = (
  stretch,
  at,
  { length: groups },
  parts,
  group,
) => {
  const n = parts.length;
  const end = group + groups;
  for (let fragment = 0; fragment < n; ) {
    const a = parts[fragment];
    const b = parts[fragment + 1];
    const c = parts[fragment + 2];
    const d = parts[fragment + 3];
    let to = at + fragment;
    if (a !== undefined && b !== undefined && c !== undefined && d !== undefined) {
      for (let from = group; from < end; from++, to += n) {
        stretch[to] = a[from]!;
        stretch[to + 1] = b[from]!;
        stretch[to + 2] = c[from]!;
        stretch[to + 3] = d[from]!;
      }
      fragment += 4;
    } else {
      for (let from = group; from < end; from++, to += n) stretch[to] = a === undefined ? 0 : a[from]!;
      fragment += 1;
    }
  }
};

export const gatherRotated: Loop<readonly (Float32Array | undefined)[]> = (
  stretch,
  at,
  rotations,
  parts,
  group,
) => {
  const n = parts.length;
  for (let fragment = 0; fragment < n; fragment++) {
    const part = parts[fragment];
    for (let i = 0, to = at; i < rotations.length; i++, to += n) {
      const place = fragment - rotations[i]!;
      stretch[to + (place + (n & (place >> 31)))] = part === undefined ? 0 : part[group + i]!;
    }
  }
};
