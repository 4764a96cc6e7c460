import { runScan } from '../../readers/runScan.js';
import { withCoalescing } from '../../sources/coalesce.js';
import { bytesPart, type JoinedPart, joinedSource, sourcePart } from '../../sources/joined.js';
import { inTurns } from '../../src/async/steps.js';
import { type AllLimits, checkTensorBytes, limitsOf } from '../../src/checks/limits.js';
import { ArgumentError, TruncatedError } from '../../src/errors.js';
import { decodeFieldData } from '../../src/onnx/fieldData.js';
import { scanModel } from '../../src/onnx/scanModel.js';
import type { OnnxTensor } from '../../src/onnx/tensorProto.js';
import { writeGraph } from '../../src/onnx/writeGraph.js';
import type { RandomAccessSource } from '../../src/source.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { inWindows } from './inWindows.js';
import { OtherFiles } from './otherFiles.js';
import { weightsFile } from './weightsFile.js';
import { wholeParts } from './wholeParts.js';

const WHAT = 'Cannot read the ONNX model';

/** Smaller tensors stay in the graph, as ONNX's own tools leave them: shapes and constants that runtimes look at early. */
const LEAST_BYTES = 1024;

/** An ONNX model: its graph, and its weights as a safetensors file to which the graph refers. */
export async function openOnnx(
  source: RandomAccessSource,
  options: ForeignModelOptions,
): Promise<ForeignModel> {
  const { name = 'model.onnx', weightsName, limits } = options;
  if (weightsName === name) {
    throw new ArgumentError(`${WHAT}: its graph cannot have the name of its weights`, { name });
  }
  // A runtime would read the model file beside the graph for the weights.
  if (weightsName?.endsWith('.holo.safetensors')) {
    throw new ArgumentError(`${WHAT}: its weights cannot have the name of a model file`, {
      name: weightsName,
    });
  }
  const scan = { least: LEAST_BYTES, limits };
  const { tensors, parts } = await runScan(source, (window) => scanModel(window, scan), options);
  const others = new OtherFiles(WHAT, options.openBeside);
  try {
    const contents = new Map<OnnxTensor, JoinedPart>();
    const place = { source, others, whole: wholeParts(), limits: limitsOf({ limits }) };
    for (const tensor of tensors) contents.set(tensor, await contentOf(tensor, place));
    const { file, offsets } = weightsFile(name, /\.onnx$/i, contents, weightsName);
    // Between weights, a graph has many short parts.
    const coalesced = withCoalescing(source);
    const graph = writeGraph(parts, file.name, (tensor) => offsets.get(tensor)!).map((piece) =>
      piece instanceof Uint8Array ? bytesPart(piece) : sourcePart(coalesced, piece.offset, piece.length),
    );
    return {
      files: [file],
      beside: [{ name, source: inWindows(joinedSource(graph, name), name) }],
      close: () => others.close(),
    };
  } catch (error) {
    await others.close();
    throw error;
  }
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
        const details = { tensor: name, expected: end, actual: file.size };
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
        return inTurns(decodeFieldData(bytes, type, byteLength), options.signal);
      });
    }
  }
}
