import type { LoadableTensor } from '../models/inputs/content.js';
import { outputBytes } from '../models/output.js';
import type { OwnBytes } from '../src/bytes/binary.js';
import { allocating } from '../src/checks/limits.js';
import { type TensorData, viewElements } from '../src/tensor/tensor.js';

/** What is used of the package: its class of tensors. */
export interface OnnxTensors {
  readonly Tensor: abstract new (...args: never[]) => unknown;
}

/** What is used of a GPUBuffer. */
export interface GpuBuffer {
  /** Frees the memory of the GPU. */
  destroy(): void;
}

/** What is used of a GPUDevice. */
export interface GpuDevice {
  /** Allocates memory of the GPU: `size` in bytes, `usage` by the flags of WebGPU. */
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): GpuBuffer;
  readonly queue: {
    /** Copies `data` to the buffer, from byte `offset` on. */
    writeBuffer(buffer: GpuBuffer, offset: number, data: OwnBytes): void;
  };
}

/** ONNX Runtime's names of dtypes. */
export const ONNX_TYPES: Readonly<Record<string, string>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  I64: 'int64',
  U64: 'uint64',
  I32: 'int32',
  U32: 'uint32',
  I16: 'int16',
  U16: 'uint16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

/** Of the buffers of WebGPU: STORAGE, COPY_SRC and COPY_DST. */
const USAGE = 0x80 | 0x04 | 0x08;

/** ONNX Runtime takes buffers of a multiple of this. */
const ALIGNMENT = 16;

interface TensorClass {
  new (type: string, data: TensorData, dims: readonly number[]): unknown;
  fromGpuBuffer(
    buffer: GpuBuffer,
    options: { readonly dataType: string; readonly dims: readonly number[]; readonly dispose: () => void },
  ): { dispose(): void };
}

/** A weight in the runtime. */
export interface Weight {
  readonly tensor: unknown;
  /** What the elements are read into. */
  memory(): TensorData;
  /** Passes on what has been read. */
  update(): void;
  /** Frees what is not memory of JavaScript. */
  dispose(): void;
}

/** A tensor of the runtime, of zeros. */
export function makeWeight(
  { Tensor }: OnnxTensors,
  device: GpuDevice | undefined,
  tensor: LoadableTensor,
  dtype: string,
): Weight {
  const Class = Tensor as unknown as TensorClass;
  const type = ONNX_TYPES[dtype]!;
  const { shape } = tensor;
  const byteLength = outputBytes(tensor, dtype);
  if (device === undefined) {
    const memory = viewElements(
      dtype,
      allocating(() => new Uint8Array(byteLength)),
    );
    return { tensor: new Class(type, memory, shape), memory: () => memory, update() {}, dispose() {} };
  }
  const size = Math.max(ALIGNMENT, Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT);
  const buffer = device.createBuffer({ size, usage: USAGE });
  const placed = Class.fromGpuBuffer(buffer, {
    dataType: type,
    dims: shape,
    dispose: () => buffer.destroy(),
  });
  let bytes = new Uint8Array(0);
  return {
    tensor: placed,
    dispose: () => placed.dispose(),
    memory() {
      bytes = allocating(() => new Uint8Array(size));
      return viewElements(dtype, bytes.subarray(0, byteLength));
    },
    update() {
      device.queue.writeBuffer(buffer, 0, bytes);
      // The queue has a copy.
      bytes = bytes.subarray(0, 0).slice();
    },
  };
}
