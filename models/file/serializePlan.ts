import { concatenate, viewOf } from '../../src/bytes/binary.js';
import { zigzag } from '../../src/bytes/fieldReader.js';
import { varint } from '../../src/bytes/varint.js';
import { check, listOf, type Rule, text, wholeNumber } from '../../src/checks/options.js';
import { optional, record } from '../../src/checks/rules.js';
import { quote } from '../../src/errors/show.js';
import { ArgumentError } from '../../src/errors.js';
import { lz4Compress } from '../../src/kernels/lz4/block.js';
import { packHeader } from './packedHeader.js';
import {
  COSINE_SCALE,
  ENCODED_PLAN,
  HASH_TEXT,
  MAX_FILES,
  type ModelPlan,
  PLAN_FILES,
  roundedWeight,
  type TensorPlan,
  WEIGHT,
} from './plan.js';

const PLAN: Rule<ModelPlan> = /* @__PURE__ */ record<ModelPlan>({
  files: PLAN_FILES,
  index: /* @__PURE__ */ optional(text),
  tensors: /* @__PURE__ */ listOf(
    /* @__PURE__ */ record<TensorPlan>({
      weight: WEIGHT,
      hash: HASH_TEXT,
      encoded: /* @__PURE__ */ optional(ENCODED_PLAN),
    }),
  ),
  order: /* @__PURE__ */ listOf(/* @__PURE__ */ wholeNumber()),
});

/**
 * The text of the plan in the metadata. Numbers of one kind are beside each other, which LZ4 makes use of.
 * @throws ArgumentError for a plan that `parseModelPlan` would not read
 */
export function serializeModelPlan(plan: ModelPlan): string {
  check('plan', plan, PLAN);
  const { files, index, tensors, order } = plan;
  if (files.length < 1 || files.length > MAX_FILES) {
    const details = { expected: `1 to ${MAX_FILES}`, actual: files.length };
    throw new ArgumentError('Cannot write the plan of the model: it has no files, or too many', details);
  }
  assertOrder(plan);
  const encoded = tensors.flatMap((tensor) => tensor.encoded ?? []);
  const bytes = concatenate([
    varints([files.length]),
    ...files.flatMap(({ name, header, bare }) => [
      textBytes(name),
      textBytes(packHeader(header)),
      varints([bare ? 1 : 0]),
    ]),
    ...(index === undefined ? [varints([0])] : [varints([1]), textBytes(index)]),
    varints([tensors.length, ...tensors.map((tensor) => tensor.encoded?.cosines.length ?? 0)]),
    weightBytes(tensors),
    hashBytes(tensors),
    varints(encoded.flatMap(({ sizes }) => sizes)),
    cosineBytes(encoded.flatMap(({ cosines }) => cosines)),
    varints(order.map((tensor, i) => zigzag(tensor - (order[i - 1] ?? 0)))),
  ]);
  return base64(concatenate([varints([bytes.length]), lz4Compress(bytes)]));
}

function assertOrder({ tensors, order }: ModelPlan): void {
  const missing = tensors.map(({ encoded }) => {
    if (encoded === undefined) return 1;
    if (encoded.cosines.length > 0 && encoded.sizes.length === encoded.cosines.length + 1)
      return encoded.sizes.length;
    throw new ArgumentError(
      'Cannot write the plan of the model: a tensor needs a size for each of its pieces',
      {
        expected: encoded.cosines.length + 1,
        actual: encoded.sizes.length,
      },
    );
  });
  for (const tensor of order) if (tensor < missing.length) missing[tensor]! -= 1;
  if (order.every((tensor) => tensor < missing.length) && missing.every((count) => count === 0)) return;
  throw new ArgumentError('Cannot write the plan of the model: its order does not have each piece once');
}

function varints(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap(varint));
}

function textBytes(value: string): Uint8Array {
  if (/\p{Surrogate}/u.test(value)) {
    const details = { actual: quote(value) };
    throw new ArgumentError('Cannot write the plan of the model: a text is not Unicode', details);
  }
  const bytes = new TextEncoder().encode(value);
  return concatenate([varints([bytes.length]), bytes]);
}

function weightBytes(tensors: readonly TensorPlan[]): Uint8Array {
  const bytes = new Uint8Array(4 * tensors.length);
  for (const [i, { weight }] of tensors.entries())
    viewOf(bytes).setFloat32(4 * i, roundedWeight(weight), true);
  return bytes;
}

function hashBytes(tensors: readonly TensorPlan[]): Uint8Array {
  const bytes = new Uint8Array(8 * tensors.length);
  for (const [i, { hash }] of tensors.entries()) viewOf(bytes).setBigUint64(8 * i, BigInt(`0x${hash}`), true);
  return bytes;
}

/** What they are below 1, rounded up, so that no cosine is better than it is: all low bytes, all middle ones, all high ones. */
function cosineBytes(cosines: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(3 * cosines.length);
  for (const [i, cosine] of cosines.entries()) {
    // A cosine that was read from a plan times the scale is a whole number, up to the rounding of the product.
    const below = COSINE_SCALE - Math.floor(cosine * COSINE_SCALE + 1e-6);
    for (let byte = 0; byte < 3; byte++) bytes[byte * cosines.length + i] = below >>> (8 * byte);
  }
  return bytes;
}

function base64(bytes: Uint8Array): string {
  // Not a call with all bytes: engines bound the arguments.
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
