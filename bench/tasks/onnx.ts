/** The weights of an ONNX file, where they are in it: enough to run its graph with others in their place. */
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { Task, Weights } from '../../test/helpers/tasks/task.js';

/** Numbers of fields and types in ONNX's protocol buffers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5 };
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE = { tensor: 5, graph: 6 };
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 };
const FLOAT = 1;
/** Bytes of the wire types that have always as many. */
const FIXED_LENGTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of its little-endian bytes in the file. */
  readonly offset: number;
  readonly length: number;
}

interface Field {
  readonly number: number;
  /** The value of a number; the place of everything else. */
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** The fields of the message between two places. */
function* fieldsOf(file: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = file[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < end) {
    const tag = varint();
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    const value = type === 0 || type === 2 ? varint() : 0;
    const length = type === 2 ? value : (FIXED_LENGTHS[type] ?? 0);
    yield { number, value, start: at, end: at + length };
    at += length;
  }
}

/** The F32 tensors among a graph's initializers and constants, those of graphs within it, too. */
function* tensorsOfGraph(file: Uint8Array, start: number, end: number): Generator<OnnxTensor> {
  for (const field of fieldsOf(file, start, end)) {
    if (field.number === GRAPH.initializer) yield* floatTensor(file, field);
    if (field.number !== GRAPH.node) continue;
    for (const attribute of fieldsOf(file, field.start, field.end)) {
      if (attribute.number !== NODE_ATTRIBUTE) continue;
      for (const inner of fieldsOf(file, attribute.start, attribute.end)) {
        if (inner.number === ATTRIBUTE.tensor) yield* floatTensor(file, inner);
        if (inner.number === ATTRIBUTE.graph) yield* tensorsOfGraph(file, inner.start, inner.end);
      }
    }
  }
}

function* floatTensor(file: Uint8Array, { start, end }: Field): Generator<OnnxTensor> {
  const shape: number[] = [];
  let [type, name, data] = [0, '', undefined as Field | undefined];
  for (const field of fieldsOf(file, start, end)) {
    if (field.number === TENSOR.dims) {
      // Packed or one by one.
      if (field.end > field.start) for (const one of varintsOf(file, field)) shape.push(one);
      else shape.push(field.value);
    }
    if (field.number === TENSOR.dataType) type = field.value;
    if (field.number === TENSOR.name) name = new TextDecoder().decode(file.subarray(field.start, field.end));
    if (field.number === TENSOR.rawData) data = field;
  }
  if (type !== FLOAT || data === undefined || data.end === data.start) return;
  yield { name: name || `@${data.start}`, shape, offset: data.start, length: data.end - data.start };
}

function* varintsOf(file: Uint8Array, { start, end }: Field): Generator<number> {
  for (let at = start, value = 0, scale = 1; at < end; at++) {
    value += (file[at]! & 127) * scale;
    scale *= 128;
    if (file[at]! >= 128) continue;
    yield value;
    [value, scale] = [0, 1];
  }
}

/** The F32 tensors of an ONNX file. */
export function onnxTensors(file: Uint8Array): Task['tensors'] {
  return placesOf(file).map(({ name, shape, offset, length }) => {
    const bytes = new Uint8Array(file.subarray(offset, offset + length));
    return { name, shape, data: new Float32Array(bytes.buffer) };
  });
}

/** The same file with these weights in place of its own. */
export function withWeights(file: Uint8Array, weights: Weights): Uint8Array {
  const copy = new Uint8Array(file);
  for (const { name, offset } of placesOf(file)) copy.set(bytesOf(weights.get(name)!), offset);
  return copy;
}

/** A safetensors file of the tensors. */
export function safetensorsOf(tensors: Task['tensors']): Uint8Array {
  const { bytes, header } = serializeSafetensorsHeader(
    tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32' })),
    new Map(),
  );
  const file = new Uint8Array(header.fileSize);
  file.set(bytes);
  for (const [i, { offset }] of header.tensors.entries()) file.set(bytesOf(tensors[i]!.data), offset);
  return file;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Where the F32 tensors of an ONNX file are. */
export function placesOf(file: Uint8Array): OnnxTensor[] {
  const found = new Map<string, OnnxTensor>();
  for (const { number, start, end } of fieldsOf(file, 0, file.length)) {
    if (number !== MODEL_GRAPH) continue;
    for (const tensor of tensorsOfGraph(file, start, end)) {
      // Two branches of a graph may have constants of one name.
      const name = found.has(tensor.name) ? `${tensor.name}@${tensor.offset}` : tensor.name;
      found.set(name, { ...tensor, name });
    }
  }
  return [...found.values()];
}
