/**
 * What a file is, as far as readers of safetensors need it: all other kinds of files, and what messages call them, are in
 * `fileKind.ts`, which pages load when a file is not safetensors.
 */

/** Bytes of a file's start that tell what it is; all of a shorter file. */
export const PROBE_SIZE = 64;

/** As hexadecimal digits: a length that the format allows, then JSON. */
export const SAFETENSORS_START = /^.{6}0[0-5]0{8}(?:09|0a|0d|20)*(?:7b|$)/;

/** The start of a file as hexadecimal digits. */
export function digitsOf(start: Uint8Array): string {
  return Array.from(start.subarray(0, PROBE_SIZE), hexadecimal).join('');
}

/** Whether a file that starts with these bytes is safetensors: no other kind begins so. */
export function isSafetensorsStart(start: Uint8Array): boolean {
  return SAFETENSORS_START.test(digitsOf(start));
}

/** Of a file that is like nothing known. */
const SHOWN_BYTES = 8;

/** What a message shows of it. */
export function unknownStart(start: Uint8Array): string {
  const shown = Array.from(start.subarray(0, SHOWN_BYTES), hexadecimal);
  return shown.length === 0 ? 'an empty file' : `a file that begins with the bytes ${shown.join(' ')}`;
}

function hexadecimal(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
