import type { OperatorFunction } from 'rxjs';
import type { ReceivedFragment } from '../../src/holotensor/fragment.js';
import { createFragmentReceiver } from '../../src/holotensor/fragmentReceiver.js';
import type { UnpackOptions } from '../../src/holotensor/unpack.js';
import { stageOperator } from '../stageOperator.js';
import { StageStream } from '../stageStream.js';

/** The bytes of a HoloTensor file in; its fragments out, verified and decompressed, each when its last byte is there. */
export class FragmentDecoderStream extends StageStream<Uint8Array, ReceivedFragment> {
  constructor(options?: UnpackOptions) {
    super(() => createFragmentReceiver(options));
  }
}

/**
 * The bytes of a HoloTensor file in; its fragments out, verified and decompressed, each when its last byte is there.
 *
 * @example
 * const response = await fetch('https://example.org/model/fc1.weight.holo');
 * fromReadableStream(response.body!)
 *   .pipe(decodeFragments())
 *   .subscribe(({ index, header }) => console.log(index, header.shape));
 */
export function decodeFragments(options?: UnpackOptions): OperatorFunction<Uint8Array, ReceivedFragment> {
  return stageOperator(() => createFragmentReceiver(options));
}
