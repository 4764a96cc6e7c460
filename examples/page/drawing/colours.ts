/** Colours of cells: one hue for each sign, paper at 0, ink at the range and beyond. */

type Colour = readonly [red: number, green: number, blue: number];

export interface Palette {
  readonly zero: Colour;
  readonly positive: Colour;
  readonly negative: Colour;
}

export const LIGHT: Palette = { zero: [255, 255, 255], positive: [11, 110, 79], negative: [176, 74, 40] };
export const DARK: Palette = { zero: [27, 31, 35], positive: [99, 224, 176], negative: [255, 157, 110] };

/** The pixels of cells, as RGBA. Small values keep some colour: the square root of their part of the range. */
export function pixelsOf(
  cells: Float32Array,
  range: number,
  { zero, positive, negative }: Palette,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * cells.length);
  for (const [i, value] of cells.entries()) {
    const part = Math.sqrt(Math.min(1, Math.abs(value) / range));
    const end = value < 0 ? negative : positive;
    for (let channel = 0; channel < 3; channel++) {
      pixels[4 * i + channel] = zero[channel]! + part * (end[channel]! - zero[channel]!);
    }
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}
