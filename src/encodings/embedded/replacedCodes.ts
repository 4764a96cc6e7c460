import type { FieldReader } from '../../bytes/fieldReader.js';
import { pushVarint } from '../../bytes/varint.js';
import { FIXED_PLACES } from '../../kernels/embedded/fixedCodes.js';
import { CODES } from '../../kernels/embedded/prefixCodes.js';
import { inRange } from './inRange.js';
import { packNumbers, readNumbers } from './signedNumbers.js';

/** The codes that a tensor has in place of those of the fixed table, as `PlaneCoding` has them, in its header. */

/** Codes are stored as differences from the middle one. */
const MIDDLE_CODE = CODES / 2;

export function packReplaced(replaced: Uint16Array): number[] {
  const bytes: number[] = [];
  pushVarint(bytes, replaced.length);
  const places = Array.from(replaced, (both) => Math.floor(both / CODES));
  const steps = places.map((place, i) => place - (places[i - 1] ?? 0));
  const codes = Array.from(replaced, (both) => (both % CODES) - MIDDLE_CODE);
  for (const byte of packNumbers([...steps, ...codes])) bytes.push(byte);
  return bytes;
}

/** @throws FormatError for places that do not rise, or places or codes that there are not */
export function readReplaced(fields: FieldReader): Uint16Array {
  const count = inRange('number of codes', fields.varint(), 0, FIXED_PLACES);
  const numbers = readNumbers(fields, 2 * count);
  const replaced = new Uint16Array(count);
  let place = 0;
  for (let i = 0; i < count; i++) {
    place = inRange('place of a code', place + numbers[i]!, i === 0 ? 0 : place + 1, FIXED_PLACES - 1);
    const code = inRange('code', numbers[count + i]! + MIDDLE_CODE, 0, CODES - 1);
    replaced[i] = CODES * place + code;
  }
  return replaced;
}
