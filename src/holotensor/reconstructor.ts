import { inTurns, type Steps } from '../async/steps.js';
import { LIMIT_RULES } from '../checks/limits.js';
import { flag, type Rules } from '../checks/options.js';
import type { LatestStage } from '../stage.js';
import { HOLO_DECODE_RULES, type HoloTensorDecoderOptions } from './decodeOptions.js';
import { HoloTensorDecoder } from './decoder.js';
import type { ReceivedFragment } from './fragment.js';
import { EMIT, type EmitPolicy, Pacing } from './pacing.js';
import { expectedCosine } from './quality.js';
import {
  RECONSTRUCTION_RULES,
  type Reconstruction,
  type ReconstructionOptions,
  reconstructing,
} from './reconstruction.js';

/** How fragments are decoded, and when reconstructions are due. */
export type ReconstructOptions = HoloTensorDecoderOptions &
  ReconstructionOptions & {
    /** When to emit a reconstruction. Default 'fragment'. The last one is always emitted. */
    readonly emit?: EmitPolicy | undefined;
    /**
     * Write every reconstruction into the same array (the default): the one before is overwritten. `false` allocates
     * a new one each time. Only for `dtype` 'F32'.
     */
    readonly reuseBuffer?: boolean | undefined;
  };

export const RECONSTRUCT_RULES: Rules<ReconstructOptions> = {
  ...HOLO_DECODE_RULES,
  ...LIMIT_RULES,
  ...RECONSTRUCTION_RULES,
  emit: EMIT,
  reuseBuffer: flag,
};

/** Takes the fragments of one tensor and tells when a reconstruction is due. It has neither clock nor streams. */
export class Reconstructor extends Pacing implements LatestStage<ReceivedFragment, Reconstruction> {
  readonly #options: ReconstructOptions;
  #decoder: HoloTensorDecoder | undefined;
  #buffer: Float32Array | undefined;
  /** Fragments of the last reconstruction. */
  #used = 0;
  #ended = false;
  readonly #closed = new AbortController();

  constructor(options: ReconstructOptions = {}) {
    super(options.emit);
    this.#options = options;
  }

  /** @throws as `HoloTensorDecoder` and its `addFragment` */
  add(fragment: ReceivedFragment): void | Promise<void> {
    this.#decoder ??= new HoloTensorDecoder(fragment.header, this.#options);
    const decoder = this.#decoder;
    const added = inTurns(decoder.adding(fragment), this.#closed.signal);
    const note = () => {
      this.changed = decoder.usable && decoder.fragments > this.#used;
    };
    return typeof added === 'boolean' ? note() : added.then(note);
  }

  /** What waits to be paid for ends in an error now, or in the last reconstruction. */
  end(): void {
    this.#ended = true;
    const decoder = this.#decoder;
    if (decoder !== undefined) this.changed ||= decoder.waits || decoder.fragments > this.#used;
  }

  /** The best tensor from the fragments so far. It needs at least one fragment. */
  take(now: number): Reconstruction | Promise<Reconstruction> {
    const decoder = this.#decoder!;
    const { reuseBuffer = true, dtype = 'F32' } = this.#options;
    // Before: what is added meanwhile may miss it.
    this.taken(now);
    this.#used = decoder.fragments;
    return inTurns(this.#reconstruct(decoder, reuseBuffer && dtype === 'F32'), this.#closed.signal);
  }

  *#reconstruct(decoder: HoloTensorDecoder, reuses: boolean): Steps<Reconstruction> {
    if (this.#ended) yield* decoder.settling();
    const reconstruction = yield* reconstructing(decoder, this.#options, this.#buffer);
    if (reuses) this.#buffer = reconstruction.data as Float32Array;
    return reconstruction;
  }

  /** Ends what is under way. */
  override close(): void {
    this.#closed.abort();
  }

  protected get expected(): number {
    return this.#decoder === undefined ? 0 : expectedCosine(this.#decoder.quality);
  }
}
