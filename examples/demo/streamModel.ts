import {
  type HctPart,
  HctVerificationStream,
  httpSource,
  type ManifestTensor,
  ModelReader,
  type Tensor,
  viewElements,
} from 'holostream';
import { HctDecompressionStream, HctParserStream } from 'holostream/operators';

export interface StreamedModel {
  readonly tensors: Map<string, Tensor>;
  /** Checksums of headers and blocks that were compared. */
  readonly checksums: number;
}

/** Streams every tensor of a model directory on a server: parses, verifies, decompresses and collects. */
export async function streamModel(url: string): Promise<StreamedModel> {
  const open = (file: string) => httpSource(new URL(file, url));
  const { manifest } = await ModelReader.open(open);
  const tensors = new Map<string, Tensor>();
  let checksums = 0;
  for (const tensor of manifest.tensors) {
    const stream = open(tensor.file)
      .stream()
      .pipeThrough(new HctParserStream())
      .pipeThrough(new HctVerificationStream())
      .pipeThrough(
        observe((part) => {
          checksums += checksumsIn(part);
        }),
      );
    tensors.set(tensor.name, await collect(stream, tensor));
  }
  return { tensors, checksums };
}

async function collect(stream: ReadableStream<HctPart>, tensor: ManifestTensor): Promise<Tensor> {
  const { dtype, shape, byteLength } = tensor;
  const bytes = new Uint8Array(byteLength);
  for await (const part of stream.pipeThrough(new HctDecompressionStream())) {
    if (part.kind === 'data') bytes.set(part.bytes, part.byteOffset);
  }
  return { dtype, shape, data: viewElements(dtype, bytes) };
}

function checksumsIn(part: HctPart): number {
  if (part.kind === 'start') return 1;
  return part.kind === 'block' && part.checksum !== 0n ? 1 : 0;
}

function observe<T>(look: (value: T) => void): TransformStream<T, T> {
  return new TransformStream<T, T>({
    transform(value, controller) {
      look(value);
      controller.enqueue(value);
    },
  });
}
