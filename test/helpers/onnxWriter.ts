/** Writes ONNX models: protobuf's wire format, as onnx.proto numbers the fields. */

const VARINT = 0;
const BYTES = 2;

/** TensorProto.DataType */
const FLOAT = 1;
const ELEMENT_TYPES: Readonly<Record<string, number>> = { F32: FLOAT, F16: 10, BF16: 16 };
/** AttributeProto.AttributeType.INT */
const INT = 2;
/** TensorProto.DataLocation.EXTERNAL */
const EXTERNAL = 1;

export interface ExternalTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
}

/**
 * A perceptron of two layers: `images` [n, inputs] → fc1 → ReLU → fc2 → `scores` [n, outputs]. Its weights, [outputs, inputs] as
 * in PyTorch, are in the file `location`; without one, they are inputs of the graph. It computes with F32.
 */
export function perceptron(tensors: readonly ExternalTensor[], location?: string): Uint8Array {
  const widthOf = (name: string, axis: number) => tensors.find((one) => one.name === name)!.shape[axis]!;
  const graph = message([
    ...tensors.map(({ name }) => [1, toFloat(name)] as const),
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
    ...(location === undefined
      ? []
      : tensors.map((tensor) => [5, externalTensor(tensor, location)] as const)),
    [11, value('images', FLOAT, ['n', widthOf('fc1.weight', 1)])],
    ...(location === undefined ? tensors : []).map(
      ({ name, dtype, shape }) => [11, value(name, ELEMENT_TYPES[dtype]!, shape)] as const,
    ),
    [12, value('scores', FLOAT, ['n', widthOf('fc2.weight', 0)])],
  ]);
  return modelProto(graph);
}

/** A model of this graph. */
export function modelProto(graph: Uint8Array): Uint8Array {
  return message([
    [1, 8],
    [7, graph],
    [8, message([[2, 13]])],
  ]);
}

/** A graph of these tensors, which nothing uses. */
export function graphOf(tensors: readonly Uint8Array[]): Uint8Array {
  return message([[2, 'graph'], ...tensors.map((tensor) => [5, tensor] as const)]);
}

/** As many graphs in each other, as attributes of nodes. */
export function nested(depth: number): Uint8Array {
  let graph = graphOf([]);
  for (let i = 0; i < depth; i++)
    graph = message([
      [
        1,
        message([
          [4, 'If'],
          [5, message([[6, graph]])],
        ]),
      ],
    ]);
  return graph;
}

/** An F32 tensor in the graph. */
export function rawTensor(name: string, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  return message([...shape.map((size) => [1, size] as const), [2, FLOAT], [8, name], [9, bytes]]);
}

function gemm(input: string, layer: string, output: string): Uint8Array {
  return message([
    [1, input],
    [1, `${layer}.weight as F32`],
    [1, `${layer}.bias as F32`],
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

function toFloat(name: string): Uint8Array {
  return message([
    [1, name],
    [2, `${name} as F32`],
    [4, 'Cast'],
    [
      5,
      message([
        [1, 'to'],
        [3, FLOAT],
        [20, INT],
      ]),
    ],
  ]);
}

/** A tensor in the file `location`. */
export function externalTensor(
  { name, dtype, shape, offset, byteLength }: ExternalTensor,
  location: string,
): Uint8Array {
  const entries = { location, offset: String(offset), length: String(byteLength) };
  return message([
    ...shape.map((size) => [1, size] as const),
    [2, ELEMENT_TYPES[dtype]!],
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

/** An input or output; sizes that are not known have names. */
function value(name: string, type: number, shape: readonly (number | string)[]): Uint8Array {
  const sizes = shape.map(
    (size) => [1, message([typeof size === 'number' ? [1, size] : [2, size]])] as const,
  );
  const tensor = message([
    [1, type],
    [2, message(sizes)],
  ]);
  return message([
    [1, name],
    [2, message([[1, tensor]])],
  ]);
}

/** Fields by their numbers. */
export function message(fields: readonly (readonly [number, number | string | Uint8Array])[]): Uint8Array {
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
