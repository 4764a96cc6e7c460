/** Writes pickles by their opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py */
import { concatBytes } from './bytes.js';

/** Opcodes as text, one byte a character, or bytes. */
export function pickleOf(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return concatBytes(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

export function pickledText(text: string): Uint8Array {
  return pickleOf('X', Uint8Array.of(text.length, text.length >> 8, text.length >> 16, 0), text);
}

/** A call of PyTorch's that makes an F32 tensor of the storage '0', with the pickled lists of its sizes and strides, and what follows. */
export function pickledTensor(
  sizes: string | Uint8Array,
  strides: string | Uint8Array,
  ...rest: readonly (string | Uint8Array)[]
): Uint8Array {
  return pickleOf(
    ...['ctorch._utils\n_rebuild_tensor_v2\n', '(('],
    ...[pickledText('storage'), 'ctorch\nFloatStorage\n', pickledText('0'), pickledText('cpu'), 'K\x01tQ'],
    ...['K\x00', sizes, strides, ...rest, 'tR'],
  );
}
