import { check, listOf, oneOf, type Rule, text } from '../checks/options.js';
import { record, textMap } from '../checks/rules.js';
import { ArgumentError, LimitError } from '../errors.js';
import { SHAPE } from '../tensor/dtype.js';
import {
  SAFETENSORS_DTYPES,
  SAFETENSORS_LENGTH_SIZE,
  SAFETENSORS_MAX_HEADER_SIZE,
  SAFETENSORS_METADATA_KEY,
  type SafetensorsDeclaration,
  type SafetensorsHeader,
  safetensorsByteLength,
} from './header.js';

/** The header is padded so that the data begin at a multiple of this, as the format's own implementation does. */
const ALIGNMENT = 8;

const DECLARATIONS: Rule<readonly SafetensorsDeclaration[]> = /* @__PURE__ */ listOf(
  /* @__PURE__ */ record<SafetensorsDeclaration>({
    name: text,
    dtype: /* @__PURE__ */ oneOf(SAFETENSORS_DTYPES),
    shape: SHAPE,
  }),
);

/**
 * Lays the tensors out in the given order and writes the header: keys in this order, no spaces except the padding. The
 * same input always gives the same bytes.
 * @throws ArgumentError when a name is duplicate, reserved or not Unicode, or a tensor has no size in whole bytes
 * @throws LimitError when the header would be larger than readers accept
 */
export function serializeSafetensorsHeader(
  declarations: readonly SafetensorsDeclaration[],
  metadata: ReadonlyMap<string, string> = new Map(),
): { readonly header: SafetensorsHeader; readonly bytes: Uint8Array } {
  check('tensors', declarations, DECLARATIONS);
  check('metadata', metadata, textMap);
  const members: string[] = [];
  if (metadata.size > 0) {
    const entries = Array.from(metadata, ([key, value]) => `${quote(key)}:${quote(value)}`);
    members.push(`${quote(SAFETENSORS_METADATA_KEY)}:{${entries.join(',')}}`);
  }
  const names = new Set([SAFETENSORS_METADATA_KEY]);
  let end = 0;
  const laidOut = declarations.map((declaration) => {
    const { name, dtype, shape } = declaration;
    if (names.has(name))
      throw new ArgumentError('Cannot write the safetensors header: this name is taken', { name });
    names.add(name);
    const byteLength = declaredByteLength(declaration);
    const begin = end;
    end += byteLength;
    members.push(
      `${quote(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
    return { name, dtype, shape, offset: begin, byteLength };
  });
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const jsonSize = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  if (jsonSize > SAFETENSORS_MAX_HEADER_SIZE) {
    throw new LimitError('Cannot write the safetensors header: it is too long', {
      expected: `at most ${SAFETENSORS_MAX_HEADER_SIZE}`,
      actual: jsonSize,
    });
  }
  const byteLength = SAFETENSORS_LENGTH_SIZE + jsonSize;
  const bytes = new Uint8Array(byteLength).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(jsonSize), true);
  bytes.set(json, SAFETENSORS_LENGTH_SIZE);
  const tensors = laidOut.map((tensor) => ({ ...tensor, offset: tensor.offset + byteLength }));
  return { header: { metadata, tensors, byteLength, fileSize: byteLength + end }, bytes };
}

function declaredByteLength({ name, dtype, shape }: SafetensorsDeclaration): number {
  const byteLength = safetensorsByteLength(dtype, shape);
  if (byteLength === undefined) {
    throw new ArgumentError(`Cannot write the safetensors header: invalid shape for ${dtype}`, {
      name,
      actual: shape,
    });
  }
  return byteLength;
}

function quote(text: string): string {
  if (/\p{Surrogate}/u.test(text))
    throw new ArgumentError('Cannot write the safetensors header: a string is not Unicode', { name: text });
  return JSON.stringify(text);
}
