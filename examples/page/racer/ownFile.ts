import {
  blobSource,
  encodeModelFile,
  HctReader,
  HoloTensorReader,
  memorySink,
  memoryStagingStore,
  openModel,
  SafetensorsWriter,
  type Tensor,
  toFloat32,
  UnsupportedError,
  viewBytes,
} from 'holostream';

/** A model file of the user's as it is, and of any other file that holostream reads the model file that it makes of it. */
export async function asModelFile(file: Blob): Promise<Blob> {
  const format = await formatOf(file);
  if (format === 'model-file') return file;
  const plain = format === 'safetensors' ? file : await plainOf(file, format);
  const sink = memorySink();
  const source = blobSource(plain);
  await encodeModelFile([{ name: 'model.safetensors', source }], sink, memoryStagingStore());
  return new Blob([sink.bytes.slice()]);
}

/** The same of what a URL leads to; undefined where that is a model file, which need not be fetched first. */
export async function urlAsModelFile(url: string): Promise<Blob | undefined> {
  if ((await formatOf(url)) === 'model-file') return undefined;
  const response = await fetch(url);
  return asModelFile(await response.blob());
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

/** A safetensors file of the tensors in it. */
async function plainOf(file: Blob, format: string): Promise<Blob> {
  const sink = memorySink();
  const tensors = await tensorsOf(file, format);
  const declared = Array.from(tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const writer = await SafetensorsWriter.open(sink, declared);
  for (const [name, { data }] of tensors) await writer.write(name, viewBytes(data));
  await writer.close();
  return new Blob([sink.bytes.slice()]);
}

/** As numbers of 32 bits: a step of 4 bits has no type in safetensors. */
async function tensorsOf(file: Blob, format: string): Promise<ReadonlyMap<string, Tensor<'F32'>>> {
  const found = new Map<string, Tensor>();
  if (format === 'hct') found.set('tensor', await (await HctReader.open(file)).readAll());
  else if (format === 'holotensor') found.set('tensor', await (await HoloTensorReader.open(file)).readAll());
  else {
    await using model = await openModel(file);
    for (const [name, tensor] of await model.load()) found.set(name, tensor as Tensor);
  }
  return new Map(
    Array.from(found, ([name, tensor]) => [
      name,
      { dtype: 'F32', shape: tensor.shape, data: toFloat32(tensor) },
    ]),
  );
}
