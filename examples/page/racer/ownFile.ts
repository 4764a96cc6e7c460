import {
  blobSource,
  encodeModelFile,
  memorySink,
  memoryStagingStore,
  openModel,
  type SafetensorsDType,
  SafetensorsWriter,
  UnsupportedError,
  viewBytes,
} from 'holostream';

/** What streams as it is: a model file, a directory of HCT files, a tensor in fragments, one in blocks. */
export type StreamedFormat = 'model-file' | 'directory' | 'holotensor' | 'hct';

/** What there is to stream: where it is, or the file itself. */
export interface Streamable {
  readonly file: string | Blob;
  readonly format: StreamedFormat;
}

/** What the user gave, if it streams as it is; of any other file that holostream reads the model file that it makes of it. */
export async function asStreamable(given: string | Blob): Promise<Streamable> {
  const format = await formatOf(given);
  if (isStreamed(format)) return { file: given, format };
  const blob = typeof given === 'string' ? await fetched(given) : given;
  return { file: await encoded(blob, format), format: 'model-file' };
}

const STREAMED: readonly string[] = [
  'model-file',
  'directory',
  'holotensor',
  'hct',
] satisfies StreamedFormat[];

function isStreamed(format: string): format is StreamedFormat {
  return STREAMED.includes(format);
}

async function formatOf(input: Blob | string): Promise<string> {
  try {
    await using model = await openModel(input);
    return model.format;
  } catch (error) {
    // Files of one tensor are no models, and the error says what they are.
    if (error instanceof UnsupportedError && typeof error.actual === 'string') return error.actual;
    throw error;
  }
}

async function fetched(url: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot fetch ${url}: the server answered ${response.status}.`);
  return response.blob();
}

async function encoded(file: Blob, format: string): Promise<Blob> {
  const source = blobSource(format === 'safetensors' ? file : await plainOf(file));
  const sink = memorySink();
  await encodeModelFile([{ name: 'model.safetensors', source }], sink, memoryStagingStore());
  return new Blob([sink.bytes.slice()]);
}

/** A safetensors file of the tensors of another model, as they are. */
async function plainOf(file: Blob): Promise<Blob> {
  await using model = await openModel(file);
  const tensors = await model.load({ as: 'source' });
  const sink = memorySink();
  const writer = await SafetensorsWriter.open(
    sink,
    // Models of other formats have the dtypes of safetensors.
    Array.from(tensors, ([name, { dtype, shape }]) => ({ name, dtype: dtype as SafetensorsDType, shape })),
  );
  for (const [name, { data }] of tensors) await writer.write(name, viewBytes(data));
  await writer.close();
  return new Blob([sink.bytes.slice()]);
}
