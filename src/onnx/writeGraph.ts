import type { ByteSpan } from '../bytes/scan.js';
import { bytesField, fieldHead, varintField } from '../protobuf/fields.js';
import type { GraphPart } from './graphPart.js';
import type { OnnxTensor } from './tensorProto.js';
import { ENTRY, EXTERNAL, TENSOR } from './types.js';

/** New bytes, or a copy of some of the file's. */
export type GraphPiece = Uint8Array | ByteSpan;

/**
 * The file of a model's graph, with its tensors in another file.
 * @param location the name of that file
 * @param offsetOf where the elements of a tensor begin in it
 */
export function writeGraph(
  parts: readonly GraphPart[],
  location: string,
  offsetOf: (tensor: OnnxTensor) => number,
): readonly GraphPiece[] {
  const pieces: GraphPiece[] = [];
  // Lengths of messages come before their contents: an inner one is written first, and its head put before it.
  const write = (part: GraphPart): number => {
    if (part instanceof Uint8Array || 'length' in part) {
      pieces.push(part);
      return part.length;
    }
    if ('tensor' in part) {
      const bytes = placeOf(part.tensor, location, offsetOf(part.tensor));
      pieces.push(bytes);
      return bytes.length;
    }
    const head = pieces.push(new Uint8Array(0)) - 1;
    const length = part.parts.reduce((sum, inner) => sum + write(inner), 0);
    const bytes = fieldHead(part.field, length);
    pieces[head] = bytes;
    return bytes.length + length;
  };
  for (const part of parts) write(part);
  return pieces;
}

/** Fields of a TensorProto that say where its elements are. */
function placeOf({ byteLength }: OnnxTensor, location: string, offset: number): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(value);
  const entries = { location, offset: String(offset), length: String(byteLength) };
  const fields = Object.entries(entries).flatMap(([key, value]) => [
    ...bytesField(
      TENSOR.externalData,
      Uint8Array.from([...bytesField(ENTRY.key, text(key)), ...bytesField(ENTRY.value, text(value))]),
    ),
  ]);
  return Uint8Array.from([...fields, ...varintField(TENSOR.dataLocation, EXTERNAL)]);
}
