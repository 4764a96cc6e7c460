import { GLYPHS, type Glyph, type Point, type Stroke } from './glyphs.js';
import type { Random } from './random.js';

/** Images are SIDE × SIDE, row-major, ink 1 on paper 0. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

export interface Sample {
  readonly image: Float32Array;
  readonly label: number;
}

type Segment = readonly [ax: number, ay: number, bx: number, by: number];

/** Straight pieces that replace a smooth stroke between two of its points. */
const PIECES = 5;
/** How far, in units of the glyph, a hand misses each point of the ideal shape (standard deviation). */
const POINT_JITTER = 0.045;

/** A digit in a random handwriting: form, slant, size, pen and paper differ each time. */
export function drawDigit(label: number, random: Random): Float32Array {
  const glyphs = GLYPHS[label]!;
  const segments = place(jitter(glyphs[random.below(glyphs.length)]!, random), random);
  const image = stroke(segments, random.between(0.7, 1.7), random.between(0.6, 1));
  addNoise(image, random.between(0.05, 0.25), random);
  return image;
}

/** `count` images of uniformly drawn digits; the same seed gives the same images. */
export function drawSamples(count: number, random: Random): Sample[] {
  return Array.from({ length: count }, () => {
    const label = random.below(10);
    return { label, image: drawDigit(label, random) };
  });
}

function jitter(glyph: Glyph, random: Random): Glyph {
  const move = ([x, y]: Point): Point => [
    x + POINT_JITTER * random.normal(),
    y + POINT_JITTER * random.normal(),
  ];
  return glyph.map(({ points, smooth }) => ({ points: points.map(move), smooth }));
}

/** Puts the glyph into pixel coordinates by a random affine map around the middle of the image. */
function place(glyph: Glyph, random: Random): Segment[] {
  const angle = 0.16 * random.normal();
  const shear = 0.2 * random.normal();
  const width = random.between(9, 18);
  const height = random.between(14, 22);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const centreX = SIDE / 2 + random.between(-2.5, 2.5);
  const centreY = SIDE / 2 + random.between(-2.5, 2.5);
  const map = ([x, y]: Point): Point => {
    const v = (y - 0.5) * height;
    const u = (x - 0.5) * width - shear * v;
    return [centreX + cos * u - sin * v, centreY + sin * u + cos * v];
  };
  return glyph.flatMap((one) => {
    const path = (one.smooth ? smoothPath(one) : one.points).map(map);
    return path.slice(1).map((end, i): Segment => [...path[i]!, ...end]);
  });
}

/** Points along the Catmull–Rom spline through the stroke's points. */
function smoothPath({ points }: Stroke): Point[] {
  const at = (i: number) => points[Math.min(Math.max(i, 0), points.length - 1)]!;
  const path: Point[] = [at(0)];
  for (let i = 0; i + 1 < points.length; i++) {
    for (let piece = 1; piece <= PIECES; piece++) {
      const t = piece / PIECES;
      path.push([
        spline(at(i - 1)[0], at(i)[0], at(i + 1)[0], at(i + 2)[0], t),
        spline(at(i - 1)[1], at(i)[1], at(i + 1)[1], at(i + 2)[1], t),
      ]);
    }
  }
  return path;
}

function spline(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/** Ink falls off over one pixel at `radius` from the nearest segment. */
function stroke(segments: readonly Segment[], radius: number, ink: number): Float32Array {
  const image = new Float32Array(PIXELS);
  for (const [ax, ay, bx, by] of segments) {
    const reach = radius + 1;
    const rows = range(Math.min(ay, by) - reach, Math.max(ay, by) + reach);
    const cols = range(Math.min(ax, bx) - reach, Math.max(ax, bx) + reach);
    const [dx, dy] = [bx - ax, by - ay];
    const squared = dx * dx + dy * dy || 1;
    for (let y = rows.from; y <= rows.to; y++) {
      for (let x = cols.from; x <= cols.to; x++) {
        const t = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / squared, 0), 1);
        const distance = Math.hypot(x - ax - t * dx, y - ay - t * dy);
        const value = ink * Math.min(Math.max(radius + 0.5 - distance, 0), 1);
        const pixel = y * SIDE + x;
        if (value > image[pixel]!) image[pixel] = value;
      }
    }
  }
  return image;
}

/** The pixels between two coordinates, within the image. */
function range(low: number, high: number): { from: number; to: number } {
  return { from: Math.max(Math.ceil(low), 0), to: Math.min(Math.floor(high), SIDE - 1) };
}

function addNoise(image: Float32Array, deviation: number, random: Random): void {
  for (let i = 0; i < image.length; i++) {
    image[i] = Math.min(Math.max(image[i]! + deviation * random.normal(), 0), 1);
  }
}
