import { bytesPart, type JoinedPart, joinedSource } from '../../sources/joined.js';
import { type SafetensorsDeclaration, safetensorsByteLength } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { ModelSourceFile } from '../file/sourceFiles.js';

/**
 * The weights of a model of another format as a safetensors file, which is made when it is read: those with large elements
 * first, so that each begins at a multiple of their size.
 * @param name of the model's own file
 * @param suffix what its name ends with
 * @param weightsName of the safetensors file
 */
export function weightsFile<T extends SafetensorsDeclaration>(
  name: string,
  suffix: RegExp,
  contents: ReadonlyMap<T, JoinedPart>,
  weightsName = `${name.replace(suffix, '')}.safetensors`,
): { readonly file: ModelSourceFile; readonly offsets: ReadonlyMap<T, number> } {
  const inOrder = [...contents.keys()].sort((a, b) => elementSize(b) - elementSize(a));
  const { header, bytes } = serializeSafetensorsHeader(inOrder);
  const parts = [bytesPart(bytes), ...inOrder.map((tensor) => contents.get(tensor)!)];
  return {
    file: { name: weightsName, source: joinedSource(parts, weightsName) },
    offsets: new Map(inOrder.map((tensor, i) => [tensor, header.tensors[i]!.offset])),
  };
}

/** In bytes; of elements that share bytes, one. */
function elementSize({ dtype }: SafetensorsDeclaration): number {
  return safetensorsByteLength(dtype, [8])! / 8;
}
