import type { OpenOptions } from '../../src/checks/limits.js';
import { callback, object, oneOf, type Rules, text } from '../../src/checks/options.js';
import { OPEN_RULES } from '../../src/checks/rules.js';
import type { WorkersOption } from '../../workers/pool.js';
import { WORKERS } from '../../workers/task.js';
import type { TensorOrder } from '../tensorWeight.js';
import type { FragmentOptions } from './encodeTensor.js';

export interface EncodeModelFileOptions extends OpenOptions, WorkersOption {
  /** How tensors are cut into fragments. Default: the embedded encoding, which is lossless. */
  readonly encode?: FragmentOptions | undefined;
  /** How tensors count in the quality of the model, and so in the order of the file. Default 'balanced'. */
  readonly order?: TensorOrder | undefined;
  /**
   * A factor of the weight that `order` gives to the tensor of this name, 0 or larger; undefined is 1.
   */
  readonly importance?: ((name: string) => number | undefined) | undefined;
  /** Tensors to store plain, whatever their size. */
  readonly keep?: ((name: string) => boolean) | undefined;
  /** The text of the shard index, if the model comes in shards: decoding restores it. */
  readonly index?: string | undefined;
  /** Called with the bytes of tensors encoded so far, and how many there will be. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

export const ENCODE_RULES: Rules<EncodeModelFileOptions> = {
  ...OPEN_RULES,
  workers: WORKERS,
  // What is in them is checked by the encoder.
  encode: object,
  order: /* @__PURE__ */ oneOf(['balanced', 'elements']),
  importance: callback,
  keep: callback,
  index: text,
  onProgress: callback,
};
