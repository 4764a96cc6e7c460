import type { LatestStage } from '../stage.js';
import { HoloTensorDecoder, type HoloTensorDecoderOptions } from './decoder.js';
import type { ReceivedFragment } from './fragment.js';
import { type EmitPolicy, Pacing } from './pacing.js';
import { expectedCosine } from './quality.js';
import { type Reconstruction, type ReconstructionOptions, reconstructionOf } from './reconstruction.js';

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

/** Takes the fragments of one tensor and tells when a reconstruction is due. It has neither clock nor streams. */
export class Reconstructor extends Pacing implements LatestStage<ReceivedFragment, Reconstruction> {
  readonly #options: ReconstructOptions;
  #decoder: HoloTensorDecoder | undefined;
  #buffer: Float32Array | undefined;

  constructor(options: ReconstructOptions = {}) {
    super(options.emit);
    this.#options = options;
  }

  /** @throws as `HoloTensorDecoder` and its `addFragment` */
  add(fragment: ReceivedFragment): void {
    this.#decoder ??= new HoloTensorDecoder(fragment.header, this.#options);
    if (this.#decoder.addFragment(fragment)) this.changed = true;
  }

  /** The best tensor from the fragments so far. It needs at least one fragment. */
  take(now: number): Reconstruction {
    const decoder = this.#decoder!;
    const { reuseBuffer = true, dtype = 'F32' } = this.#options;
    const reconstruction = reconstructionOf(decoder, this.#options, this.#buffer);
    if (reuseBuffer && dtype === 'F32') this.#buffer = reconstruction.data as Float32Array;
    this.taken(now);
    return reconstruction;
  }

  protected get expected(): number {
    return this.#decoder === undefined ? 0 : expectedCosine(this.#decoder.quality);
  }
}
