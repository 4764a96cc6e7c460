import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Encoding } from '../../../src/encodings/encoding.js';
import { ENCODINGS } from '../../../src/encodings/encodings.js';
import { FormatError, UnsupportedError } from '../../../src/errors.js';
import { encodeWith, f32Tensor } from '../../helpers/encodings.js';
import { noise } from '../../helpers/random.js';
import { runsOf } from '../../helpers/runs.js';

const CASES: readonly [Encoding, object][] = [
  [ENCODINGS.spectral, { layout: 'raster' }],
  [ENCODINGS.spectral, { layout: 'ranked' }],
  [ENCODINGS.spectral, { layout: 'essential' }],
  [ENCODINGS['random-projection'], { matrix: 'orthonormal' }],
  [ENCODINGS['random-projection'], { matrix: 'gaussian' }],
  [ENCODINGS['low-rank'], { residual: true }],
];

const ROWS = 5;
const COLS = 7;
const FRAGMENTS = 3;
/** Headers are no longer: half of the changes hit one. */
const HEADER_BYTES = 24;

for (const [encoding, options] of CASES) {
  test(`${encoding.name} ${JSON.stringify(options)}: a changed payload is refused, or at least does no harm`, () => {
    const tensor = f32Tensor([ROWS, COLS], noise(ROWS * COLS));
    const { encoded, request } = encodeWith(encoding, tensor, options, { fragments: FRAGMENTS, seed: 3n });
    const change = fc.record({
      at: fc.oneof(fc.nat(HEADER_BYTES - 1), fc.nat(10_000)),
      value: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.nat(FRAGMENTS - 1),
        fc.array(change, { maxLength: 3 }),
        fc.option(fc.nat(300)),
        fc.boolean(),
        (index, changes, length, withAnother) => {
          const payload = encoded.payloads[index]!.slice(0, length ?? undefined);
          for (const { at, value } of changes) if (payload.length > 0) payload[at % payload.length] = value;
          const decoder = encoding.createDecoder(request, {});
          const other = (index + 1) % FRAGMENTS;
          if (withAnother) decoder.addFragment(other, encoded.payloads[other]!);
          const before = decoder.quality;
          try {
            decoder.addFragment(index, payload);
          } catch (error) {
            if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
            assert.equal(decoder.quality, before);
          }
          decoder.reconstruct(new Float32Array(ROWS * COLS));
          const { fraction, cosine } = decoder.quality;
          assert.ok(fraction >= 0 && fraction <= 1, `fraction ${fraction}`);
          assert.ok(cosine === undefined || (cosine >= 0 && cosine <= 1), `cosine ${cosine}`);
        },
      ),
      { numRuns: runsOf(1000) },
    );
  });
}

test.run();
