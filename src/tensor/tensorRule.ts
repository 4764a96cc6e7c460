import { type Rule, text } from '../checks/options.js';
import { record } from '../checks/rules.js';
import { DTYPE, type DType, SHAPE } from './dtype.js';
import { type Tensor, TYPED_ARRAY } from './tensor.js';

/** A tensor of a dtype that both formats know. Whether the data have its size is checked where they are used. */
export const TENSOR: Rule<Tensor<DType>> = /* @__PURE__ */ record({
  dtype: DTYPE,
  shape: SHAPE,
  data: TYPED_ARRAY,
});

export const ANY_TENSOR: Rule<Tensor> = /* @__PURE__ */ record({
  dtype: text,
  shape: SHAPE,
  data: TYPED_ARRAY,
});
