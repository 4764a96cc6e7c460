import { runScan } from '../../readers/runScan.js';
import { bytesPart, type JoinedPart, joinedSource, sourcePart } from '../../sources/joined.js';
import { type AllLimits, allocating, checkTensorBytes, limitsOf } from '../../src/checks/limits.js';
import { FormatError, TruncatedError, UnsupportedError } from '../../src/errors.js';
import { decodeFieldData } from '../../src/onnx/fieldData.js';
import { scanModel } from '../../src/onnx/scanModel.js';
import type { OnnxTensor } from '../../src/onnx/tensorProto.js';
import { writeGraph } from '../../src/onnx/writeGraph.js';
import { safetensorsByteLength } from '../../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { RandomAccessSource } from '../../src/source.js';
import { isPlainFileName } from '../directory/fileNames.js';
import type { OpenModelFile } from '../directory/modelReader.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { wholeParts } from './wholeParts.js';

const WHAT = 'Cannot read the ONNX model';

/** Smaller tensors stay in the graph, as ONNX's own tools leave them: shapes and constants that runtimes look at early. */
const LEAST_BYTES = 1024;

/** An ONNX model: its graph, and its weights as a safetensors file to which the graph refers. */
export async function openOnnx(
  source: RandomAccessSource,
  options: ForeignModelOptions,
): Promise<ForeignModel> {
  const { name = 'model.onnx', limits } = options;
  const scan = { least: LEAST_BYTES, limits };
  const { tensors, parts } = await runScan(source, (window) => scanModel(window, scan), options);
  const weightsName = `${name.replace(/\.onnx$/i, '')}.safetensors`;
  const others = new OtherFiles(options.openBeside);
  try {
    // Those with large elements first, so that each begins at a multiple of their size.
    const inOrder = [...tensors].sort((a, b) => elementSize(b) - elementSize(a));
    const { header, bytes } = serializeSafetensorsHeader(inOrder);
    const contents: JoinedPart[] = [bytesPart(bytes)];
    const place = { source, others, whole: wholeParts(), limits: limitsOf({ limits }) };
    for (const tensor of inOrder) contents.push(await contentOf(tensor, place));
    const offsets = new Map(inOrder.map((tensor, i) => [tensor, header.tensors[i]!.offset]));
    const graph = writeGraph(parts, weightsName, (tensor) => offsets.get(tensor)!).map((piece) =>
      piece instanceof Uint8Array ? bytesPart(piece) : sourcePart(source, piece.offset, piece.length),
    );
    return {
      files: [{ name: weightsName, source: joinedSource(contents, weightsName) }],
      beside: [{ name, source: joinedSource(graph, name) }],
      close: () => others.close(),
    };
  } catch (error) {
    await others.close();
    throw error;
  }
}

/** In bytes; of elements that share bytes, one. */
function elementSize({ dtype }: OnnxTensor): number {
  return safetensorsByteLength(dtype, [8])! / 8;
}

interface Place {
  readonly source: RandomAccessSource;
  readonly others: OtherFiles;
  readonly whole: ReturnType<typeof wholeParts>;
  readonly limits: AllLimits;
}

async function contentOf(
  { name, byteLength, data }: OnnxTensor,
  { source, others, whole, limits }: Place,
): Promise<JoinedPart> {
  switch (data.kind) {
    case 'raw':
      return sourcePart(source, data.offset, byteLength);
    case 'external': {
      const file = await others.open(data.location, name);
      const end = data.offset + byteLength;
      if (file.size !== undefined && end > file.size) {
        const details = { name, expected: end, actual: file.size };
        throw new TruncatedError(`${WHAT}: the file of a tensor ends before it`, details);
      }
      return sourcePart(file, data.offset, byteLength);
    }
    case 'fields': {
      const { message, type } = data;
      // It may have more in it than elements.
      checkTensorBytes(limits, message.length, name);
      return whole(byteLength, async (options) => {
        const bytes = await source.read(message.offset, message.length, options);
        return allocating(() => decodeFieldData(bytes, type, byteLength));
      });
    }
  }
}

/** Files of tensors, which an ONNX model names. */
class OtherFiles {
  readonly #open: OpenModelFile | undefined;
  readonly #opened = new Map<string, RandomAccessSource>();

  constructor(open: OpenModelFile | undefined) {
    this.#open = open;
  }

  /** @throws FormatError for a name that leads out of the folder; UnsupportedError where no other files can be opened */
  async open(location: string, tensor: string): Promise<RandomAccessSource> {
    const name = location.replace(/^\.\//, '');
    if (!isPlainFileName(name)) {
      throw new FormatError(`${WHAT}: a tensor is in a file that is not beside it`, {
        name: tensor,
        expected: 'a plain name',
        actual: location,
      });
    }
    let file = this.#opened.get(name);
    if (file !== undefined) return file;
    if (this.#open === undefined) {
      throw new UnsupportedError(`${WHAT}: a tensor is in another file (option openBeside)`, {
        name: tensor,
        actual: name,
      });
    }
    file = await this.#open(name);
    this.#opened.set(name, file);
    return file;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map((file) => file.close?.()));
  }
}
