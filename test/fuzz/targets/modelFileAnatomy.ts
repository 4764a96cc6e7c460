import { FORMS } from '../../../models/file/firstPiece.js';
import { sealHeader } from '../../../models/file/headerChecksum.js';
import { parseModelFile } from '../../../models/file/modelFile.js';
import { parseModelPlan } from '../../../models/file/parsePlan.js';
import { formatHash, type ModelPlan, type TensorPlan } from '../../../models/file/plan.js';
import { serializeModelPlan } from '../../../models/file/serializePlan.js';
import { xxh3 } from '../../../src/kernels/xxh3/checksum.js';
import { concatBytes } from '../../helpers/bytes.js';
import { planBytes, planText } from '../../helpers/modelPlans.js';
import { safetensorsOf } from '../../helpers/safetensors.js';
import { type Anatomy, Cutter, type Field, type Part } from '../target.js';
import { holoAnatomy } from './holotensorAnatomy.js';
import { readU32 } from './numbers.js';

/**
 * The parts of a model file, see `docs/formats/model-file.md`: its JSON, the plan in it, unpacked, and the pieces of its tensors
 * in the order of the data.
 */

const PLAN = 'holostream.plan';
const CHECKSUM = 'holostream.checksum';
const NO_CHECKSUM = '0000000000000000';
const METADATA = '__metadata__';
const DATA = 'holostream.data';

/** The numbers at the beginning of a header piece. */
const FIRST_FIELDS: readonly Field[] = Array.from({ length: 32 }, (_, i) => ({ offset: i, size: 1 }));

type Json = Record<string, unknown>;

export const modelFileAnatomy: Anatomy = { split, join };

function split(input: Uint8Array): readonly Part[] {
  const cutter = new Cutter(input);
  const length = readU32(cutter.peek(4), 0);
  const dataStart = 8 + length;
  const header = parse(input.subarray(8, dataStart));
  const plan = attempt(() => planBytes(String((header![METADATA] as Json)[PLAN])));
  if (header === undefined || plan === undefined) {
    cutter.take('length', 8);
    cutter.take('text', length, { json: true });
    return cutter.end();
  }
  const parts: Part[] = [
    { kind: 'header', bytes: new TextEncoder().encode(JSON.stringify(header)), json: true },
    { kind: 'plan', bytes: plan },
  ];
  const tensors = attempt(() => parseModelFile(input.subarray(0, dataStart), undefined).tensors);
  if (tensors === undefined) return [...parts, { kind: 'data', bytes: input.subarray(dataStart) }];
  const pieces = tensors.flatMap((tensor) =>
    tensor.pieces.map((piece, i) => ({ ...piece, isHeader: i === 0 && tensor.encoded !== undefined })),
  );
  for (const { offset, length, isHeader } of pieces.sort((a, b) => a.offset - b.offset)) {
    const bytes = input.subarray(offset, offset + length);
    parts.push({
      kind: isHeader ? 'header piece' : 'piece',
      bytes,
      fields: isHeader ? FIRST_FIELDS : undefined,
    });
  }
  return parts;
}

function join(parts: readonly Part[], sizes: boolean): Uint8Array {
  const header = parse(parts.find(({ kind }) => kind === 'header')?.bytes);
  const plan = parts.find(({ kind }) => kind === 'plan')?.bytes;
  if (header === undefined || plan === undefined) return concatBytes(parts.map(({ bytes }) => bytes));
  let pieces = parts
    .filter(({ kind }) => kind !== 'header' && kind !== 'plan')
    .map(({ bytes }) => new Uint8Array(bytes));
  const text = planText(plan);
  const metadata = header[METADATA] as Json | undefined;
  const parsed = attempt(() =>
    parseModelPlan(new Map(Object.entries({ ...metadata, [PLAN]: text })) as never),
  );
  let sealed: string | undefined;
  if (parsed !== undefined && parsed.order.length === pieces.length) {
    const tensors = sealTensors(parsed, pieces, sizes);
    pieces = parsed.order.map((tensor) => tensors[tensor]!.pieces.shift()!);
    sealed = attempt(() => serializeModelPlan({ ...parsed, tensors: tensors.map((one) => one.plan) }));
  }
  if (sizes) header[DATA] = dataEntry(pieces);
  const json = JSON.stringify(withPlan(header, sealed ?? text));
  // Padded as our writer does: to a multiple of 8 bytes.
  const file = safetensorsOf(json + ' '.repeat(-Buffer.byteLength(json) & 7));
  sealHeader(file);
  return concatBytes([file, ...pieces]);
}

/** The tensors with their pieces: the checksums of these are right, and so are their sizes if they are to be. */
function sealTensors(
  { tensors, order }: ModelPlan,
  pieces: readonly Uint8Array<ArrayBuffer>[],
  sizes: boolean,
): { readonly plan: TensorPlan; readonly pieces: Uint8Array<ArrayBuffer>[] }[] {
  return tensors.map((plan, number) => {
    const own = pieces.filter((_, i) => order[i] === number);
    const { encoded } = plan;
    if (encoded !== undefined) own[0] = sealedHeaderPiece(own, sizes);
    const hash = formatHash(xxh3(own[0]!));
    const sized = encoded && { ...encoded, sizes: own.map(({ length }) => length) };
    return { plan: { ...plan, hash, encoded: sizes ? sized : encoded }, pieces: own };
  });
}

/** The header piece of a tensor, with its checksums: those of fragments are its end. */
function sealedHeaderPiece(
  [piece, ...fragments]: readonly Uint8Array<ArrayBuffer>[],
  sizes: boolean,
): Uint8Array<ArrayBuffer> {
  if (piece![0] === FORMS.whole) return sealedWholePiece([piece!.subarray(1), ...fragments], sizes);
  const hashes = new BigUint64Array(fragments.map((bytes) => xxh3(bytes)));
  const rest = piece!.subarray(0, Math.max(1, piece!.length - hashes.byteLength));
  return concatBytes([rest, new Uint8Array(hashes.buffer)]);
}

/** The same with sizes and offsets of its fragments. */
function sealedWholePiece(
  [piece, ...fragments]: readonly Uint8Array<ArrayBuffer>[],
  sizes: boolean,
): Uint8Array<ArrayBuffer> {
  const front = holoAnatomy.split(piece!).filter(({ kind }) => kind !== 'fragment' && kind !== 'rest');
  const whole = holoAnatomy.join(
    [...front, ...fragments.map((bytes) => ({ kind: 'fragment', bytes }))],
    sizes,
  );
  const length = fragments.reduce((sum, { length }) => sum + length, 0);
  return concatBytes([Uint8Array.of(FORMS.whole), whole.subarray(0, whole.length - length)]);
}

function dataEntry(pieces: readonly Uint8Array[]): Json {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { dtype: 'U8', shape: [length], data_offsets: [0, length] };
}

/** With the plan, and the checksum as the first member, where it belongs, before the header is sealed. */
function withPlan(header: Json, plan: string): Json {
  const { [METADATA]: metadata, ...tensors } = header;
  if (typeof metadata !== 'object' || metadata === null) return header;
  const { [CHECKSUM]: _, ...others } = metadata as Json;
  return { [METADATA]: { [CHECKSUM]: NO_CHECKSUM, ...others, [PLAN]: plan }, ...tensors };
}

function parse(bytes: Uint8Array | undefined): Json | undefined {
  const value = attempt<unknown>(() => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  return typeof value === 'object' && value !== null ? (value as Json) : undefined;
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
