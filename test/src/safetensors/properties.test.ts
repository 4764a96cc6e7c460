import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseSafetensorsHeader,
  SAFETENSORS_DTYPES,
  type SafetensorsDeclaration,
  safetensorsByteLength,
  serializeSafetensorsHeader,
} from '../../../formats.js';
import { HolostreamError } from '../../../src/errors.js';
import { Outcomes } from '../../helpers/outcomes.js';
import { runsOf } from '../../helpers/runs.js';
import { safetensorsOf } from '../../helpers/safetensors.js';

const test = suite('safetensors header: properties');

const text = fc.string({ unit: 'binary', maxLength: 8 });
const declarations: fc.Arbitrary<SafetensorsDeclaration[]> = fc.uniqueArray(
  fc
    .record({
      name: text,
      dtype: fc.constantFrom(...SAFETENSORS_DTYPES),
      shape: fc.array(fc.nat(9), { maxLength: 5 }),
    })
    .filter(({ name, dtype, shape }) => {
      return name !== '__metadata__' && safetensorsByteLength(dtype, shape) !== undefined;
    }),
  { selector: ({ name }) => name, maxLength: 6 },
);
const metadata = fc.array(fc.tuple(text, text), { maxLength: 4 }).map((entries) => new Map(entries));

test('what is written is read, by JSON.parse too', () => {
  fc.assert(
    fc.property(declarations, metadata, (tensors, texts) => {
      const { header, bytes } = serializeSafetensorsHeader(tensors, texts);
      const parsed = parseSafetensorsHeader(bytes, { fileSize: header.fileSize });
      assert.equal(parsed.metadata, header.metadata);
      // Tensors come back in the order of their data, where an empty one goes before its neighbour.
      const byName = new Map(parsed.tensors.map((tensor) => [tensor.name, tensor]));
      assert.is(byName.size, tensors.length);
      for (const tensor of header.tensors) assert.equal(byName.get(tensor.name), tensor);
      const plain = new Map(
        Object.entries(JSON.parse(new TextDecoder().decode(bytes.subarray(8))) as Record<string, object>),
      );
      for (const { name, dtype, shape, offset, byteLength } of header.tensors) {
        const begin = offset - header.byteLength;
        assert.equal(plain.get(name), { dtype, shape, data_offsets: [begin, begin + byteLength] });
      }
    }),
    { numRuns: 300 },
  );
});

const edits = fc.array(
  fc.record({
    at: fc.nat(),
    drop: fc.nat(3),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(...'"{}[],:019\\ ').map((char) => new TextEncoder().encode(char)),
    ),
  }),
  { minLength: 1, maxLength: 3 },
);
/** JSON allows a space after the opening brace and in strings: headers that are accepted. */
const space = fc
  .oneof(fc.constant(1), fc.nat())
  .map((at) => [{ at, drop: 0, insert: new TextEncoder().encode(' ') }]);

test('mutated headers give a typed error or a consistent header', () => {
  const seen = new Outcomes();
  fc.assert(
    fc.property(declarations, metadata, fc.oneof(edits, space), (tensors, texts, changes) => {
      let json: Uint8Array = serializeSafetensorsHeader(tensors, texts).bytes.subarray(8);
      for (const { at, drop, insert } of changes) {
        const place = at % (json.length + 1);
        json = Buffer.concat([json.subarray(0, place), insert, json.subarray(place + drop)]);
      }
      try {
        const header = parseSafetensorsHeader(safetensorsOf(json));
        let end = header.byteLength;
        for (const { dtype, shape, offset, byteLength } of header.tensors) {
          assert.is(offset, end);
          assert.is(byteLength, safetensorsByteLength(dtype, shape));
          end += byteLength;
        }
        assert.is(header.fileSize, end);
        // Whatever is accepted is JSON in the eyes of others as well.
        JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
      } catch (error) {
        if (!(error instanceof HolostreamError)) throw error;
        seen.add(false);
        return;
      }
      seen.add(true);
    }),
    { numRuns: runsOf(2000) },
  );
  seen.assertBoth(0.2);
});

test.run();
