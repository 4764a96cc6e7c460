import type { LatestStage } from '../stage.js';
import { HoloTensorDecoder, type HoloTensorDecoderOptions } from './decoder.js';
import type { ReceivedFragment } from './fragment.js';
import { type EmitPolicy, Pacing } from './pacing.js';
import { expectedCosine } from './quality.js';
import { type Reconstruction, type ReconstructionOptions, reconstructionOf } from './reconstruction.js';

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

/** Takes the fragments of one tensor and says when a reconstruction of them is due. It knows no clock and no stream. */
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

  /** The tensor that all fragments so far allow. Only after at least one fragment. */
  take(now: number): Reconstruction {
    const decoder = this.#decoder!;
    const { reuseBuffer = true, dtype = 'F32' } = this.#options;
    if (reuseBuffer && dtype === 'F32') this.#buffer ??= new Float32Array(decoder.elements);
    const reconstruction = reconstructionOf(decoder, this.#options, this.#buffer);
    this.taken(now);
    return reconstruction;
  }

  protected get expected(): number {
    return this.#decoder === undefined ? 0 : expectedCosine(this.#decoder.quality);
  }
}
