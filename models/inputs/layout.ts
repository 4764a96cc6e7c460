import { type AllLimits, checkLimit, checkTensorBytes } from '../../src/checks/limits.js';
import { FormatError, TruncatedError } from '../../src/errors.js';
import { SAFETENSORS_METADATA_KEY, type SafetensorsTensor } from '../../src/safetensors/header.js';
import type { FilePart } from '../file/sourceFiles.js';

/**
 * What a file of another format consists of: its tensors, and the bytes around them, which are parts by the name
 * `<file>:<offset>`.
 * @throws FormatError for tensors that overlap or have the same name; TruncatedError for one beyond the end; LimitError
 */
export function layoutOf(
  name: string,
  size: number,
  tensors: readonly SafetensorsTensor[],
  limits: AllLimits,
): FilePart[] {
  const names = new Set([SAFETENSORS_METADATA_KEY]);
  const parts: FilePart[] = [];
  let end = 0;
  const fill = (offset: number) => {
    if (offset > end) {
      const shape = [offset - end];
      checkTensorBytes(limits, offset - end, name);
      parts.push({ name: unused(names, `${name}:${end}`), dtype: 'U8', shape, isBetween: true });
    }
    end = offset;
  };
  for (const tensor of tensors) {
    if (names.has(tensor.name)) {
      throw new FormatError('Cannot read the file: two of its tensors have the same name', {
        name: tensor.name,
      });
    }
    names.add(tensor.name);
  }
  const inOrder = [...tensors].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (const { name: tensor, dtype, shape, offset, byteLength } of inOrder) {
    if (offset < end) {
      throw new FormatError('Cannot read the file: two of its tensors overlap', { tensor, offset });
    }
    if (offset + byteLength > size) {
      const details = { tensor, expected: `at least ${offset + byteLength} bytes`, actual: size };
      throw new TruncatedError('Cannot read the file: it ends before a tensor does', details);
    }
    checkTensorBytes(limits, byteLength, tensor);
    fill(offset);
    parts.push({ name: tensor, dtype, shape });
    end = offset + byteLength;
  }
  fill(size);
  checkLimit(limits, 'tensors', parts.length, 'Cannot read the file: it has too many tensors');
  return parts;
}

function unused(names: Set<string>, name: string): string {
  let free = name;
  while (names.has(free)) free += '_';
  names.add(free);
  return free;
}
