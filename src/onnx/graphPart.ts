import type { ByteSpan } from '../bytes/scan.js';
import { bytesField } from '../protobuf/fields.js';
import type { OnnxTensor, ScannedTensor } from './tensorProto.js';
import { NODE, TENSOR } from './types.js';

/** Part of a message that is written anew. */
export type GraphPart =
  /** New fields. */
  | Uint8Array
  /** Copied from the file. */
  | ByteSpan
  /** A message within it. */
  | { readonly field: number; readonly parts: readonly GraphPart[] }
  /** The fields that say where the elements of this tensor are. */
  | { readonly tensor: OnnxTensor };

/** The content of a TensorProto whose elements are in another file. */
export function tensorParts(
  { kept }: Pick<ScannedTensor, 'kept'>,
  name: string,
  tensor: OnnxTensor,
): GraphPart[] {
  const named = name === '' ? [] : [textField(TENSOR.name, name)];
  return [...kept, ...named, { tensor }];
}

/** The content of a node that gives a value another name. */
export function identityNode(input: string, output: string, name: string): GraphPart[] {
  const named = name === '' ? [] : [textField(NODE.name, name)];
  const type = textField(NODE.opType, 'Identity');
  return [textField(NODE.input, input), textField(NODE.output, output), ...named, type];
}

function textField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text));
}
