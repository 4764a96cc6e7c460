import { HoloTensorDecoder, type HoloTensorDecoderOptions } from './decoder.js';
import type { ReceivedFragment } from './fragment.js';
import { expectedCosine } from './quality.js';
import { type Reconstruction, type ReconstructionOptions, reconstructionOf } from './reconstruction.js';

/**
 * When a new reconstruction is due: after every fragment; only at the end; at most every so many milliseconds; or
 * when the quality (the cosine, as `expectedCosine` knows it) has risen by so much.
 */
export type EmitPolicy = 'fragment' | 'end' | { readonly everyMs: number } | { readonly qualityStep: number };

export type ReconstructOptions = HoloTensorDecoderOptions &
  ReconstructionOptions & {
    /** Default 'fragment'. The last state is always given out, too. */
    readonly emit?: EmitPolicy | undefined;
    /**
     * Write every reconstruction into the same array (the default): the one before is overwritten. `false` allocates
     * a new one each time. Only for `dtype` 'F32'.
     */
    readonly reuseBuffer?: boolean | undefined;
  };

/** Knows when a new reconstruction is due. */
export class Pacing {
  readonly #emit: EmitPolicy;
  readonly #expected: () => number;
  #takenAt = Number.NEGATIVE_INFINITY;
  #takenQuality = Number.NEGATIVE_INFINITY;

  /** @param expected the cosine that a reconstruction would have now */
  constructor(emit: EmitPolicy = 'fragment', expected: () => number) {
    this.#emit = emit;
    this.#expected = expected;
  }

  /** For `delay` of a {@link Reconstructor} that has changed. */
  delay(now: number): number {
    const emit = this.#emit;
    if (emit === 'end') return Number.POSITIVE_INFINITY;
    if (emit === 'fragment') return 0;
    if ('everyMs' in emit) return Math.max(0, this.#takenAt + emit.everyMs - now);
    return this.#expected() >= this.#takenQuality + emit.qualityStep ? 0 : Number.POSITIVE_INFINITY;
  }

  taken(now: number): void {
    this.#takenAt = now;
    this.#takenQuality = this.#expected();
  }
}

/** Takes the fragments of one tensor and says when a reconstruction of them is due. It knows no clock and no stream. */
export class Reconstructor {
  readonly #options: ReconstructOptions;
  readonly #pacing: Pacing;
  #decoder: HoloTensorDecoder | undefined;
  #buffer: Float32Array | undefined;
  #changed = false;

  constructor(options: ReconstructOptions = {}) {
    this.#options = options;
    this.#pacing = new Pacing(options.emit, () =>
      this.#decoder === undefined ? 0 : expectedCosine(this.#decoder.quality),
    );
  }

  /** @throws as `HoloTensorDecoder` and its `addFragment` */
  add(fragment: ReceivedFragment): void {
    this.#decoder ??= new HoloTensorDecoder(fragment.header, this.#options);
    if (this.#decoder.addFragment(fragment)) this.#changed = true;
  }

  /** True when fragments have come since the last reconstruction. */
  get changed(): boolean {
    return this.#changed;
  }

  /** Milliseconds until the next reconstruction is due; 0 now, infinity when more fragments must come first. */
  delay(now: number): number {
    return this.#changed ? this.#pacing.delay(now) : Number.POSITIVE_INFINITY;
  }

  /** The tensor that all fragments so far allow. Only after at least one fragment. */
  take(now: number): Reconstruction {
    const decoder = this.#decoder!;
    const { reuseBuffer = true, dtype = 'F32' } = this.#options;
    if (reuseBuffer && dtype === 'F32') this.#buffer ??= new Float32Array(decoder.elements);
    const reconstruction = reconstructionOf(decoder, this.#options, this.#buffer);
    this.#changed = false;
    this.#pacing.taken(now);
    return reconstruction;
  }
}
