/**
 * What a file is that was taken for another, as its first bytes tell: a server's error page under the name of the model,
 * a clone without its large files, another program's format. A wrong name is a commoner mistake than a damaged file.
 */

/** Bytes of a file's start that decide. */
const PROBE_SIZE = 9;

/** The first match counts. Bytes are matched as Latin-1. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^version /, 'a Git LFS pointer; run "git lfs pull"'],
  [/^\s*<(!|html|head|body|\?xml)/i, 'a web page'],
  [/^\s*[{[]\s*["[{]/, 'JSON text'],
  [/^PK[^ -~]{2}/, 'a zip archive, as PyTorch and NumPy write them'],
  [/^\x93NUMPY/, 'a NumPy file'],
  [/^\x89HDF/, 'an HDF5 file'],
  [/^GGUF/, 'a GGUF file'],
  [/^HCTN/, 'an HCT file'],
  [/^HTNS/, 'a HoloTensor file'],
  [/^.{4}\0{4}\{/s, 'a safetensors file'],
  [/^[\t\n\r -~]{8}/, 'text'],
];

/** "a web page"; undefined when the bytes are like nothing known. */
export function foreignFile(start: Uint8Array): string | undefined {
  const text = String.fromCharCode(...start.subarray(0, PROBE_SIZE));
  return FOREIGN.find(([pattern]) => pattern.test(text))?.[1];
}
