import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fitQualityCurve } from '../../../src/holotensor/fitQuality.js';
import {
  DEFAULT_QUALITY_CURVES,
  expectedCosine,
  QualityCurve,
  reachesQuality,
} from '../../../src/holotensor/quality.js';
import { manifest } from '../../helpers/fixtures.js';

const NAMES = {
  Spectral: 'spectral',
  RandomProjection: 'random-projection',
  LowRankDistributed: 'low-rank',
} as const;

test('the default curves are the reference’s, to the bit', () => {
  const { qualityCurve } = manifest<{ qualityCurve: Record<keyof typeof NAMES, number[]> }>('vectors');
  for (const [name, expected] of Object.entries(qualityCurve)) {
    const curve = DEFAULT_QUALITY_CURVES[NAMES[name as keyof typeof NAMES]];
    const predicted = expected.map((_, i) => curve.predict(i + 1, 8));
    assert.equal(predicted, expected.map(Math.fround), name);
  }
});

test('at the ends it says what is known without it', () => {
  const curve = new QualityCurve([0.5, 0.7, 0, 0], 3);
  assert.is(curve.predict(0, 0), 0);
  assert.is(curve.predict(2, 8), 0, 'below the minimum');
  assert.is(curve.predict(8, 8), 1);
  assert.is(curve.predict(9, 8), 1);
  assert.is(curve.predict(7, 8), 1, 'clamped');
  assert.is(new QualityCurve([-1, 0, 0, 0], 0).predict(1, 8), 0, 'clamped');
});

test('fragmentsForQuality: the fewest whose prediction is enough', () => {
  const curve = DEFAULT_QUALITY_CURVES.spectral;
  assert.is(curve.fragmentsForQuality(0, 8), 1, 'never below the minimum');
  assert.is(curve.fragmentsForQuality(0.7, 8), 3);
  assert.is(curve.fragmentsForQuality(curve.predict(5, 8), 8), 5);
  assert.is(curve.fragmentsForQuality(0.99, 8), 8);
  assert.is(curve.fragmentsForQuality(1, 8), 8, 'else all');
  assert.is(DEFAULT_QUALITY_CURVES['random-projection'].fragmentsForQuality(0.1, 8), 2);
});

test('a quality is reached by its cosine, and 1 only by the whole', () => {
  const quality = { fraction: 0.9, predicted: 0.7, cosine: 1, relativeError: 0 };
  assert.ok(reachesQuality({ quality, complete: false }, 0.999));
  assert.not(reachesQuality({ quality, complete: false }, 1));
  assert.ok(reachesQuality({ quality, complete: true }, 1));
  assert.not(reachesQuality({ quality: { ...quality, cosine: undefined }, complete: false }, 0.8));
});

test('the true cosine goes before the predicted', () => {
  const quality = { fraction: 0.1, predicted: 0.7, cosine: 0.3, relativeError: undefined };
  assert.is(expectedCosine(quality), 0.3);
  assert.is(expectedCosine({ ...quality, cosine: undefined }), 0.7);
});

const cubic = ({ coefficients: [a, b, c, d] }: QualityCurve, x: number) => a + x * (b + x * (c + x * d));

test('a fitted curve rises within [0, 1], whatever was measured', () => {
  const measurement = fc.array(fc.double({ min: -0.2, max: 1, noNaN: true }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(measurement, (measured) => {
      const curve = fitQualityCurve(measured, 1);
      let before = Number.NEGATIVE_INFINITY;
      for (let i = 0; i <= 200; i++) {
        const value = cubic(curve, i / 200);
        // Coefficients are stored as f32.
        assert.ok(value >= -1e-6 && value <= 1 + 1e-6, `${value} at ${i / 200}`);
        assert.ok(value >= before - 1e-6, `falls at ${i / 200}`);
        before = value;
      }
    }),
  );
});

test('a rising cubic is found again', () => {
  const coefficients = [0.1, 1.2, -0.9, 0.5];
  const measured = Array.from({ length: 8 }, (_, k) => cubic(new QualityCurve(coefficients, 1), (k + 1) / 8));
  const curve = fitQualityCurve(measured, 1);
  measured.forEach((value, k) => {
    assert.ok(Math.abs(curve.predict(k + 1, 8) - value) < 0.12 * (k === 7 ? 1 : 1e-3), `${k + 1} of 8`);
  });
});

test('no curve that may be drawn is nearer than the fitted one', () => {
  const measured = [0.2, 0.55, 0.5, 0.9, 0.91, 0.99, 1, 1];
  const distance = (curve: QualityCurve) =>
    measured.reduce((sum, value, k) => sum + (cubic(curve, (k + 1) / 8) - value) ** 2, 0);
  const best = distance(fitQualityCurve(measured, 1));
  for (let i = 0; i < 4; i++) {
    for (const step of [-0.01, 0.01]) {
      const coefficients = [...fitQualityCurve(measured, 1).coefficients];
      coefficients[i]! += step;
      const other = new QualityCurve(coefficients, 1);
      const values = Array.from({ length: 201 }, (_, x) => cubic(other, x / 200));
      const allowed = values.every((value, x) => value >= 0 && value <= 1 && value >= (values[x - 1] ?? 0));
      assert.ok(!allowed || distance(other) >= best - 1e-6, `coefficient ${i} ${step}`);
    }
  }
});

test('one or two samples give a curve through them', () => {
  assert.ok(Math.abs(cubic(fitQualityCurve([0.8], 1), 1) - 0.8) < 1e-3);
  const two = fitQualityCurve([0.7, 1], 1);
  assert.ok(Math.abs(two.predict(1, 2) - 0.7) < 1e-3);
});

test.run();
