/** Writes ONNX models whose weights are external data: protobuf's wire format, as onnx.proto numbers the fields. */

const VARINT = 0;
const BYTES = 2;

/** TensorProto.DataType.FLOAT */
const FLOAT = 1;
/** AttributeProto.AttributeType.INT */
const INT = 2;
/** TensorProto.DataLocation.EXTERNAL */
const EXTERNAL = 1;

export interface ExternalTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
}

/**
 * A perceptron of two layers: `images` [n, inputs] → fc1 → ReLU → fc2 → `scores` [n, outputs]. Its F32 weights, [outputs, inputs] as
 * in PyTorch, are in the file `location`.
 */
export function perceptron(tensors: readonly ExternalTensor[], location: string): Uint8Array {
  const widthOf = (name: string, axis: number) => tensors.find((one) => one.name === name)!.shape[axis]!;
  const graph = message([
    [1, gemm('images', 'fc1', 'hidden')],
    [
      1,
      message([
        [1, 'hidden'],
        [2, 'rectified'],
        [4, 'Relu'],
      ]),
    ],
    [1, gemm('rectified', 'fc2', 'scores')],
    [2, 'perceptron'],
    ...tensors.map((tensor) => [5, external(tensor, location)] as const),
    [11, matrix('images', widthOf('fc1.weight', 1))],
    [12, matrix('scores', widthOf('fc2.weight', 0))],
  ]);
  return message([
    [1, 8],
    [7, graph],
    [8, message([[2, 13]])],
  ]);
}

function gemm(input: string, layer: string, output: string): Uint8Array {
  return message([
    [1, input],
    [1, `${layer}.weight`],
    [1, `${layer}.bias`],
    [2, output],
    [4, 'Gemm'],
    [
      5,
      message([
        [1, 'transB'],
        [3, 1],
        [20, INT],
      ]),
    ],
  ]);
}

function external({ name, shape, offset, byteLength }: ExternalTensor, location: string): Uint8Array {
  const entries = { location, offset: String(offset), length: String(byteLength) };
  return message([
    ...shape.map((size) => [1, size] as const),
    [2, FLOAT],
    [8, name],
    ...Object.entries(entries).map(
      ([key, value]) =>
        [
          13,
          message([
            [1, key],
            [2, value],
          ]),
        ] as const,
    ),
    [14, EXTERNAL],
  ]);
}

/** A value of any number of rows. */
function matrix(name: string, columns: number): Uint8Array {
  const shape = message([
    [1, message([[2, 'n']])],
    [1, message([[1, columns]])],
  ]);
  const tensor = message([
    [1, FLOAT],
    [2, shape],
  ]);
  return message([
    [1, name],
    [2, message([[1, tensor]])],
  ]);
}

/** Fields by their numbers. */
function message(fields: readonly (readonly [number, number | string | Uint8Array])[]): Uint8Array {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [varint((number << 3) | VARINT), varint(value)];
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    return [varint((number << 3) | BYTES), varint(bytes.length), bytes];
  });
  return Buffer.concat(parts);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    const low = rest % 128;
    if (rest < 128) return Uint8Array.from([...bytes, low]);
    bytes.push(low | 128);
  }
}
