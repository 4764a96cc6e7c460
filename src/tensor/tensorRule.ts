import type { Rule } from '../options.js';
import { record } from '../rules.js';
import { DTYPE, type DType, SHAPE } from './dtype.js';
import type { Tensor, TensorData } from './tensor.js';

const DATA: Rule<TensorData> = (data) => !(ArrayBuffer.isView(data) && 'length' in data) && 'a typed array';

/** A tensor of a dtype that both formats know. Whether the data have its size is checked where they are used. */
export const TENSOR: Rule<Tensor<DType>> = /* @__PURE__ */ record({ dtype: DTYPE, shape: SHAPE, data: DATA });
