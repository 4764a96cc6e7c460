import { sealHeader } from '../../models/file/headerChecksum.js';
import { parseModelPlan } from '../../models/file/parsePlan.js';
import { type ModelPlan, PLAN_KEY } from '../../models/file/plan.js';
import { serializeModelPlan } from '../../models/file/serializePlan.js';
import { readVarint, varint } from '../../src/bytes/varint.js';
import { lz4DecompressInto } from '../../src/kernels/lz4/portable/decode.js';
import { lz4Compress } from '../../src/kernels/lz4/portable/encode.js';
import { parseSafetensorsHeader } from '../../src/safetensors/parse.js';
import { safetensorsOf } from './safetensors.js';

/** The model file with another plan; its checksum is right. */
export function withPlan(file: Uint8Array, change: (plan: ModelPlan) => ModelPlan): Uint8Array {
  const { metadata } = parseSafetensorsHeader(file);
  return withPlanText(file, serializeModelPlan(change(parseModelPlan(metadata))));
}

/** The same with this text as the plan. */
export function withPlanText(file: Uint8Array, text: string): Uint8Array {
  const { byteLength } = parseSafetensorsHeader(file);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, byteLength)));
  header.__metadata__[PLAN_KEY] = text;
  const front = safetensorsOf(header);
  sealHeader(front);
  return Buffer.concat([front, file.subarray(byteLength)]);
}

/** The bytes that the text of a plan is made of. */
export function planBytes(text: string): Uint8Array<ArrayBuffer> {
  const stored = Buffer.from(text, 'base64');
  const { value, end } = readVarint(stored, 0)!;
  const bytes = new Uint8Array(value);
  lz4DecompressInto(stored.subarray(end), bytes);
  return bytes;
}

/** The text for bytes of a plan. */
export function planText(bytes: Uint8Array): string {
  return Buffer.concat([Uint8Array.from(varint(bytes.length)), lz4Compress(bytes)]).toString('base64');
}
