import * as assert from 'uvu/assert';

const BYTES: Record<string, number> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/**
 * A reader of safetensors files for tests, written from the format's public description and independent of ours: it
 * accepts nothing that the rules do not allow.
 */
export function strictSafetensors(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const size = Number(view.getBigUint64(0, true));
  assert.ok(8 + size <= file.length, 'the header is there');
  const text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + size));
  assert.ok(text.startsWith('{') && text.trimEnd().endsWith('}'), 'an object, padded by spaces behind');
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text) as Record<string, never>;
  for (const value of Object.values(metadata)) assert.type(value, 'string');
  const tensors = Object.entries(
    entries as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>,
  )
    .map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const elements = shape.reduce((product, n) => product * n, 1);
        assert.is(end - begin, elements * (BYTES[dtype] ?? Number.NaN), `size of ${name}`);
        return { name, dtype, shape, begin, end };
      },
    )
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const tensor of tensors) {
    assert.is(tensor.begin, end, `no hole and no overlap before ${tensor.name}`);
    end = tensor.end;
  }
  assert.is(8 + size + end, file.length, 'nothing behind the last tensor');
  return { metadata: metadata as Record<string, string>, tensors };
}
