import { sealHeader } from '../../../models/file/headerChecksum.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { concatBytes } from '../../helpers/bytes.js';
import { safetensorsOf } from '../../helpers/safetensors.js';
import { type Anatomy, Cutter, type Part } from '../target.js';
import { holoAnatomy } from './holotensorAnatomy.js';
import { readU32 } from './numbers.js';

/**
 * The parts of a model file, see `docs/formats/model-file.md`: its JSON, in which the plan is JSON, too, not text, and
 * the tensors that are stored.
 */

const PLAN = 'holostream.plan';
const CHECKSUM = 'holostream.checksum';
const NO_CHECKSUM = '0000000000000000';
const METADATA = '__metadata__';

type Json = Record<string, unknown>;

export const modelFileAnatomy: Anatomy = { split, join };

function split(input: Uint8Array): readonly Part[] {
  const cutter = new Cutter(input);
  const length = readU32(cutter.peek(4), 0);
  const header = parse(input.subarray(8, 8 + length));
  if (header === undefined) {
    cutter.take('length', 8);
    cutter.take('text', length, { json: true });
    return cutter.end();
  }
  const parts: Part[] = [{ kind: 'header', bytes: toBytes(withPlan(header, JSON.parse)), json: true }];
  const dataStart = 8 + length;
  for (const [name, range] of rangesOf(header)) {
    const bytes = input.subarray(dataStart + range[0], dataStart + range[1]);
    const [front] = name.endsWith('#header') ? holoAnatomy.split(bytes) : [];
    parts.push({ kind: name.endsWith('#header') ? 'header piece' : 'piece', bytes, fields: front?.fields });
  }
  return parts;
}

function join(parts: readonly Part[], sizes: boolean): Uint8Array {
  const header = parse(parts.find(({ kind }) => kind === 'header')?.bytes);
  if (header === undefined) return concatBytes(parts.map(({ bytes }) => bytes));
  const pieces = parts.filter(({ kind }) => kind !== 'header').map(({ bytes }) => new Uint8Array(bytes));
  const names = rangesOf(header).map(([name]) => name);
  const named = new Map(names.map((name, i) => [name, pieces[i] ?? new Uint8Array(0)]));
  const plan = (header[METADATA] as Json | undefined)?.[PLAN] as Json | undefined;
  for (const name of names) {
    if (name.endsWith('#header')) named.set(name, sealedHeaderPiece(name, named, sizes));
    sealInPlan(plan, name, named.get(name)!);
  }
  if (sizes) placeAll(header, named);
  const text = JSON.stringify(withPlan(withoutChecksum(header), JSON.stringify));
  // Padded as our writer does: to a multiple of 8 bytes.
  const length = Buffer.byteLength(text);
  const file = safetensorsOf(text + ' '.repeat(-length & 7));
  sealHeader(file);
  return concatBytes([file, ...named.values()]);
}

/** The header piece of a tensor, with its checksums, and with sizes and offsets of its fragments. */
function sealedHeaderPiece(
  name: string,
  named: ReadonlyMap<string, Uint8Array>,
  sizes: boolean,
): Uint8Array<ArrayBuffer> {
  const piece = named.get(name)!;
  const base = name.slice(0, -'#header'.length);
  const fragments: Part[] = [];
  for (let k = 0; named.has(`${base}#${k}`); k++)
    fragments.push({ kind: 'fragment', bytes: named.get(`${base}#${k}`)! });
  const front = holoAnatomy.split(piece).filter(({ kind }) => kind !== 'fragment' && kind !== 'rest');
  const whole = holoAnatomy.join([...front, ...fragments], sizes);
  const length = fragments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return new Uint8Array(whole.subarray(0, whole.length - length));
}

function sealInPlan(plan: Json | undefined, name: string, piece: Uint8Array): void {
  const hash = xxh3(piece).toString(16).padStart(16, '0');
  const plain = plan?.plain as Json | undefined;
  if (plain && typeof plain === 'object' && Object.hasOwn(plain, name)) plain[name] = hash;
  const encoded = (plan?.encoded as Json | undefined)?.[name.replace(/#header$/, '')] as Json | undefined;
  if (name.endsWith('#header') && encoded && typeof encoded === 'object') encoded.headerHash = hash;
}

/** One tensor after another, in the order of the header; bytes have their number as shape. */
function placeAll(header: Json, named: ReadonlyMap<string, Uint8Array>): void {
  let end = 0;
  for (const [name, { length }] of named) {
    const entry = header[name] as Json;
    if (entry.dtype === 'U8') entry.shape = [length];
    entry.data_offsets = [end, end + length];
    end += length;
  }
}

function rangesOf(header: Json): [name: string, range: [number, number]][] {
  return Object.entries(header).flatMap(([name, entry]): [string, [number, number]][] => {
    if (name === METADATA || typeof entry !== 'object' || entry === null) return [];
    const { 0: begin, 1: end } = Object((entry as Json).data_offsets) as Json;
    return [[name, [Number(begin) || 0, Number(end) || 0]]];
  });
}

/** The header with another form of its plan. */
function withPlan(header: Json, convert: (plan: never) => unknown): Json {
  const metadata = header[METADATA] as Json | undefined;
  if (typeof metadata !== 'object' || metadata === null || metadata[PLAN] === undefined) return header;
  try {
    return { ...header, [METADATA]: { ...metadata, [PLAN]: convert(metadata[PLAN] as never) } };
  } catch {
    return header;
  }
}

/** As the first member, where it belongs, before the header is sealed. */
function withoutChecksum(header: Json): Json {
  const { [METADATA]: metadata, ...tensors } = header;
  if (typeof metadata !== 'object' || metadata === null) return header;
  const { [CHECKSUM]: _, ...others } = metadata as Json;
  return { [METADATA]: { [CHECKSUM]: NO_CHECKSUM, ...others }, ...tensors };
}

function parse(bytes: Uint8Array | undefined): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function toBytes(value: Json): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
