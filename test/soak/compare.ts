import * as assert from 'uvu/assert';
import type { LoadedTensor, OutputType } from '../../models/output.js';
import { similarity } from '../../src/tensor/similarity.js';
import { type Tensor, viewBytes, viewElements } from '../../src/tensor/tensor.js';
import { toFloat32 } from '../../src/tensor/toFloat32.js';
import type { ExpectedTensor, StoredModel } from './models.js';

/** Rounding of the stored cosines. */
const TOLERANCE = 1e-4;

export type Loaded = ReadonlyMap<string, LoadedTensor<OutputType>>;

/** All tensors are there, and exact. */
export function assertExact(loaded: Loaded, { tensors }: StoredModel): void {
  assert.equal([...loaded.keys()].sort(), [...tensors.keys()].sort());
  for (const tensor of loaded.values()) {
    assert.ok(tensor.complete, 'a tensor is not complete');
    assertTensor(tensor, tensors.get(tensor.name)!);
  }
}

/** What is there is as good as it says. */
export function assertTrue(loaded: Loaded, { tensors }: StoredModel): void {
  for (const tensor of loaded.values()) assertTensor(tensor, tensors.get(tensor.name)!);
}

function assertTensor(tensor: LoadedTensor<OutputType>, expected: ExpectedTensor): void {
  assert.equal(tensor.shape, expected.shape);
  if (tensor.complete) {
    const wanted = tensor.dtype === expected.dtype ? expected.bytes : viewBytes(numbersOf(expected));
    assert.ok(Buffer.from(wanted).equals(viewBytes(tensor.data)), 'a complete tensor has other bytes');
    return;
  }
  const { cosine } = similarity(numbersOf(expected), toFloat32(tensor as Tensor));
  assert.ok(cosine >= tensor.cosine - TOLERANCE, `a tensor says ${tensor.cosine}, and has ${cosine}`);
}

function numbersOf({ dtype, shape, bytes }: ExpectedTensor): Float32Array {
  return toFloat32({ dtype, shape, data: viewElements(dtype, bytes) });
}
