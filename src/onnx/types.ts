import type { SafetensorsDType } from '../safetensors/header.js';

/** Numbers of fields and types in ONNX's protocol buffers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */

export const MODEL = { graph: 7 } as const;
export const GRAPH = { node: 1, initializer: 5, input: 11 } as const;
export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5 } as const;
export const VALUE = { name: 1 } as const;
export const ATTRIBUTE = { tensor: 5, graph: 6, graphs: 11 } as const;
export const TENSOR = {
  dims: 1,
  dataType: 2,
  segment: 3,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
  dataLocation: 14,
} as const;
export const ENTRY = { key: 1, value: 2 } as const;
/** TensorProto.DataLocation.EXTERNAL */
export const EXTERNAL = 1;

/** The fields of a tensor that are written anew: those that hold elements or say where they are, and its name. */
export const REPLACED_FIELDS: ReadonlySet<number> = new Set([
  TENSOR.name,
  TENSOR.floatData,
  TENSOR.int32Data,
  TENSOR.stringData,
  TENSOR.int64Data,
  TENSOR.rawData,
  TENSOR.doubleData,
  TENSOR.uint64Data,
  TENSOR.externalData,
  TENSOR.dataLocation,
]);

/** The type of a tensor's elements. */
export interface ElementType {
  /** In safetensors; those that it does not have are bytes, U8. */
  readonly dtype: SafetensorsDType;
  readonly bits: number;
  /** Which field has the elements where they are not raw. */
  readonly field: number;
  /** Bytes that one number of that field stands for. */
  readonly width: number;
}

const { floatData, int32Data, int64Data, doubleData, uint64Data } = TENSOR;

function type(dtype: SafetensorsDType, bits: number, field: number, width = bits / 8): ElementType {
  return { dtype, bits, field, width };
}

/** By their numbers in TensorProto.DataType; strings are not among them. */
export const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map([
  [1, type('F32', 32, floatData)],
  [2, type('U8', 8, int32Data)],
  [3, type('I8', 8, int32Data)],
  [4, type('U16', 16, int32Data)],
  [5, type('I16', 16, int32Data)],
  [6, type('I32', 32, int32Data)],
  [7, type('I64', 64, int64Data)],
  [9, type('BOOL', 8, int32Data)],
  [10, type('F16', 16, int32Data)],
  [11, type('F64', 64, doubleData)],
  [12, type('U32', 32, uint64Data)],
  [13, type('U64', 64, uint64Data)],
  [14, type('C64', 64, floatData, 4)],
  // COMPLEX128
  [15, type('U8', 128, doubleData, 8)],
  [16, type('BF16', 16, int32Data)],
  [17, type('F8_E4M3', 8, int32Data)],
  [18, type('F8_E4M3FNUZ', 8, int32Data)],
  [19, type('F8_E5M2', 8, int32Data)],
  [20, type('F8_E5M2FNUZ', 8, int32Data)],
  // UINT4, INT4 and FLOAT4E2M1: two share a byte, and an odd last one has one of its own.
  [21, type('U8', 4, int32Data, 1)],
  [22, type('U8', 4, int32Data, 1)],
  [23, type('U8', 4, int32Data, 1)],
  [24, type('F8_E8M0', 8, int32Data)],
]);
