import * as assert from 'uvu/assert';
import { decodeFromModelFile, encodeToModelFile } from '../modelFiles.js';
import { strictSafetensors } from '../strictSafetensors.js';

/** Asserts that a model file gives its safetensors file back byte for byte, and is a valid safetensors file itself. */
export async function checkModelFile(name: string, bytes: Uint8Array): Promise<void> {
  const file = await encodeToModelFile({ [name]: bytes });
  assert.is(strictSafetensors(file).tensors.length, 1);
  const { files, model } = await decodeFromModelFile(file);
  assert.ok(Buffer.from(files[name]!).equals(bytes));
  // The data begin with what is needed first, and fragments follow their headers.
  for (const { pieces, encoded } of model.tensors) {
    assert.equal(
      pieces.map(({ offset }) => offset),
      pieces.map(({ offset }) => offset).sort((a, b) => a - b),
    );
    if (encoded !== undefined) assert.ok(pieces.length === encoded.cosines.length + 1);
  }
  const cut = model.tensors.filter(({ encoded }) => encoded !== undefined);
  const headersEnd = Math.max(0, ...cut.map(({ pieces: [header] }) => header!.offset + header!.length));
  const firstFragment = Math.min(...cut.map(({ pieces }) => pieces[1]!.offset));
  assert.ok(headersEnd <= firstFragment);
}
