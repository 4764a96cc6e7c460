import type { ModelReader } from '../../models/directory/modelReader.js';
import { readModelFile } from '../../models/file/modelFile.js';
import { readPlainHeader } from '../../models/file/plainHeader.js';
import type { FileFormat } from '../../models/inputs/formats.js';
import { modelFileContent } from '../../models/inputs/modelFile.js';
import { type ChosenTensor, choosePieces, decodeChosen } from '../../models/plain/choosePieces.js';
import { readHctChunks } from '../../readers/hctChunks.js';
import { HctSourceReader } from '../../readers/hctSourceReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { Budget, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { FormatError } from '../../src/errors.js';
import { HOLO_FLAG_FRAGMENT_CHECKSUMS } from '../../src/holotensor/constants.js';
import type { RandomAccessSource } from '../../src/source.js';
import { eachBounded } from '../../workers/eachBounded.js';
import { loadPool } from '../../workers/loadPool.js';
import { reportEach } from '../eachInput.js';
import { formatOf, type ModelInput } from '../input/modelInput.js';
import { type OpenedShard, readShards } from '../input/shards.js';
import { startProgress } from '../progress.js';
import { counted } from '../report.js';
import { threadsFor, type WorkersChoice } from '../threads.js';

export interface VerifyChoice {
  readonly json?: true;
}

export type VerifyOptions = OpenOptions & WorkersChoice;

const VERIFY: Readonly<
  Record<FileFormat, (source: RandomAccessSource, options: VerifyOptions) => Promise<string>>
> = {
  hct: verifyHct,
  holotensor: verifyHoloTensor,
  'model-file': verifyModelFile,
  safetensors: verifySafetensors,
};

/** Reads everything: it succeeds only where decoding would. */
export async function verify(
  names: readonly string[],
  { json }: VerifyChoice,
  options: VerifyOptions,
): Promise<void> {
  const examine = async (input: ModelInput) => {
    const checked = await verified(input, options);
    return { data: { ok: true, checked }, lines: [`ok: ${checked}`] };
  };
  await reportEach(names, examine, { ...options, json });
}

async function verified(input: ModelInput, options: VerifyOptions): Promise<string> {
  switch (input.kind) {
    case 'directory':
      return verifyDirectory(input.reader, options);
    case 'shards':
      return verifyShards(await readShards(input, options), options);
    case 'file':
      return VERIFY[await formatOf(input, options)](input.source, options);
  }
}

async function verifyShards(shards: readonly OpenedShard[], options: VerifyOptions): Promise<string> {
  for (const { file, format } of shards) {
    if (format === 'model-file' || format === 'safetensors') continue;
    throw new FormatError(
      'Cannot verify the shards: they are neither model files nor safetensors; "holostream encode" takes them',
      { file, actual: format },
    );
  }
  const encoded = shards.filter(({ format }) => format === 'model-file');
  for (const { source } of encoded) await verifyModelFile(source, options);
  const tensors = shards.reduce((sum, shard) => sum + shard.tensors.length, 0);
  const plain = shards.length - encoded.length;
  const files = [
    ...(encoded.length > 0 ? [`${counted(encoded.length, 'file')} decoded, all checksums verified`] : []),
    ...(plain > 0 ? [`${counted(plain, 'file')} of safetensors, which has no checksums`] : []),
  ];
  return [counted(tensors, 'tensor'), ...files].join('; ');
}

async function verifySafetensors(source: RandomAccessSource, options: OpenOptions): Promise<string> {
  const { tensors } = await readPlainHeader(source, options);
  return `${counted(tensors.length, 'tensor')}; safetensors has no checksums`;
}

async function verifyHoloTensor(source: RandomAccessSource, options: OpenOptions): Promise<string> {
  const reader = await HoloTensorReader.open(source, options);
  const { total } = await reader.readAll(options);
  const checked = (reader.header.flags & HOLO_FLAG_FRAGMENT_CHECKSUMS) !== 0 ? total : 0;
  return `${counted(total, 'fragment')} decoded, ${counted(checked, 'checksum')} verified`;
}

async function verifyModelFile(source: RandomAccessSource, options: VerifyOptions): Promise<string> {
  const model = await readModelFile(source, options);
  const { tensors } = choosePieces(modelFileContent(model, source).tensors);
  const total = tensors.reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
  using progress = startProgress('verifying', total);
  const pool = await loadPool(threadsFor(options.workers, total));
  const decode = async (chosen: ChosenTensor, signal: AbortSignal) => {
    const { length } = await decodeChosen(chosen, new Budget(limitsOf(options)), { signal, pool });
    progress.advance(length);
  };
  await eachBounded(tensors, (pool?.size ?? 0) + 1, decode, options.signal);
  const pieces = tensors.reduce((sum, { pieces }) => sum + pieces.length, 0);
  return `${counted(tensors.length, 'tensor')} decoded, ${counted(pieces + 1, 'checksum')} verified`;
}

async function verifyHct(source: RandomAccessSource, options: OpenOptions): Promise<string> {
  const reader = await HctSourceReader.open(source, options);
  const { originalSize, blockCount, blockSize } = reader.header;
  using progress = startProgress('verifying', originalSize);
  for await (const { length } of readHctChunks(reader, options)) progress.advance(length);
  let checksums = 0;
  for (let i = 0; i < blockCount; i++) if (reader.blocks.entry(i).checksum !== 0n) checksums += 1;
  return `${counted(blockCount, 'block')} of ${blockSize} bytes decoded, ${counted(checksums, 'checksum')} verified`;
}

async function verifyDirectory(model: ModelReader, options: OpenOptions): Promise<string> {
  const { tensors } = model.manifest;
  const total = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  using progress = startProgress('verifying', total);
  for (const tensor of tensors) {
    for await (const chunk of model.chunks(tensor, options)) progress.advance(chunk.length);
  }
  return `${counted(tensors.length, 'tensor')} decoded, ${counted(tensors.length, 'hash', 'hashes')} verified`;
}
