import { modelFolder } from '../../sources/modelFolder.js';
import { HctReader } from '../../src/hct/index.js';
import { ModelReader } from '../../src/model/modelReader.js';
import { readSafetensorsHeader } from '../../src/safetensors/index.js';
import type { CommandContext } from '../context.js';
import { fileKind, isDirectory } from '../fileKind.js';
import { openInput } from '../input.js';
import { startProgress } from '../progress.js';

/** Reads everything: it succeeds only where decoding would. */
export async function verify({ signal }: CommandContext, file: string): Promise<void> {
  if (await isDirectory(file)) return verifyDirectory(file, signal);
  const source = await openInput(file, signal);
  try {
    if ((await fileKind(source, file)) === 'hct')
      return await verifyHct(await HctReader.open(source, { signal }), signal);
    const { tensors } = await readSafetensorsHeader(source, { signal });
    console.log(`ok: ${tensors.length} tensors; safetensors has no checksums`);
  } finally {
    await source.close?.();
  }
}

async function verifyHct(reader: HctReader, signal: AbortSignal): Promise<void> {
  const { originalSize, blockCount, blockSize } = reader.header;
  const progress = startProgress('verifying', originalSize);
  let checksums = 0;
  try {
    for (let i = 0; i < blockCount; i++) {
      const block = await reader.readBlock(i, { signal });
      if (reader.blocks.entry(i).checksum !== 0n) checksums += 1;
      progress.advance(block.length);
    }
  } finally {
    progress.stop();
  }
  console.log(`ok: ${blockCount} blocks of ${blockSize} bytes decoded, ${checksums} checksums verified`);
}

async function verifyDirectory(path: string, signal: AbortSignal): Promise<void> {
  const model = await ModelReader.open(modelFolder(path), { signal });
  const { tensors } = model.manifest;
  const progress = startProgress(
    'verifying',
    tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
  );
  try {
    for (const tensor of tensors) {
      for await (const chunk of model.chunks(tensor, { signal })) progress.advance(chunk.length);
    }
  } finally {
    progress.stop();
  }
  console.log(`ok: ${tensors.length} tensors decoded, ${tensors.length} hashes verified`);
}
