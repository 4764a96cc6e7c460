import { check, number, wholeNumber } from '../checks/options.js';
import type { HolographicEncoding } from '../encodings/encoding.js';

/** Of a cosine similarity to reach. */
export const QUALITY = /* @__PURE__ */ number(0, 1);

const f = Math.fround;

/** Files do not store "sufficient"; readers of the format agree on this value. */
const SUFFICIENT_WHEN_READ = 8;

/**
 * Predicts how good a tensor is after k of N fragments: a cubic in k/N, exact at both ends. It describes the encoding
 * of a tensor; it does not measure a reconstruction.
 */
export class QualityCurve {
  /** c0 + c1·x + c2·x² + c3·x³ with x = k/N; stored as f32. */
  readonly coefficients: readonly [number, number, number, number];
  /** Fewest fragments from which a reconstruction is useful. */
  readonly minimum: number;
  /** Fragments after which most uses are served; not stored in files. */
  readonly sufficient: number;

  constructor(coefficients: Iterable<number>, minimum: number, sufficient = SUFFICIENT_WHEN_READ) {
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = coefficients;
    this.coefficients = [f(c0), f(c1), f(c2), f(c3)];
    this.minimum = minimum;
    this.sufficient = sufficient;
  }

  /**
   * The quality to expect of `fragments` out of `total`, in [0, 1]. Every step is rounded to f32, as other readers
   * of the format do, so that all choose the same number of fragments for a quality.
   */
  predict(fragments: number, total: number): number {
    if (total === 0) return 0;
    if (fragments >= total) return 1;
    if (fragments < this.minimum) return 0;
    const x = f(fragments / total);
    let power = 1;
    let sum = 0;
    for (const coefficient of this.coefficients) {
      sum = f(sum + f(coefficient * power));
      power = f(power * x);
    }
    return Math.min(1, Math.max(0, sum));
  }

  /** The smallest number of fragments, at least the minimum, predicted to reach `quality`; else all of them. */
  fragmentsForQuality(quality: number, total: number): number {
    check('quality', quality, QUALITY);
    check('total', total, wholeNumber());
    for (let fragments = this.minimum; fragments < total; fragments++) {
      if (this.predict(fragments, total) >= f(quality)) return fragments;
    }
    return total;
  }
}

/**
 * The curves that the reference implementation writes for every tensor. They are guesses; our encoder fits its own.
 * It has none for `embedded`; a straight line takes its place until the encoder has measured.
 */
export const DEFAULT_QUALITY_CURVES: Readonly<Record<HolographicEncoding, QualityCurve>> = {
  spectral: /* @__PURE__ */ new QualityCurve([0.6, 0.3, 0.08, 0.02], 1, 6),
  'random-projection': /* @__PURE__ */ new QualityCurve([0.1, 0.8, 0.08, 0.02], 2, 6),
  'low-rank': /* @__PURE__ */ new QualityCurve([0.3, 0.5, 0.15, 0.05], 1, 4),
  embedded: /* @__PURE__ */ new QualityCurve([0, 1, 0, 0], 1),
};

/** The four measures of a reconstruction; `docs/holotensor.md` explains them. */
export interface ReconstructionQuality {
  /** Share of the file that has arrived, in [0, 1]: the progress, which the reference calls quality. */
  readonly fraction: number;
  /** The prediction of the header's curve for the usable fragments, in [0, 1]. */
  readonly predicted: number;
  /** True cosine similarity with the original; undefined where it cannot be known from the file. */
  readonly cosine: number | undefined;
  /** True ‖x − x̂‖ / ‖x‖; undefined where it cannot be known from the file. */
  readonly relativeError: number | undefined;
}

/** The true cosine if it is known, otherwise the prediction. */
export function expectedCosine({ cosine, predicted }: ReconstructionQuality): number {
  return cosine ?? predicted;
}

/**
 * Whether a reconstruction reaches a quality. For 1 it must be complete, because a cosine may round to 1 before.
 * @param quality least cosine similarity, in [0, 1]
 */
export function reachesQuality(
  reconstruction: { readonly quality: ReconstructionQuality; readonly complete: boolean },
  quality: number,
): boolean {
  return reconstruction.complete || (quality < 1 && expectedCosine(reconstruction.quality) >= quality);
}
