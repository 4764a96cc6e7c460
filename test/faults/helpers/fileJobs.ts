/** What the library does with files, each as a job that reads an old or a new input and leaves a target. */
import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../../models/directory/encodeModel.js';
import { modelFolder, modelFolderSink } from '../../../models/directory/modelFolder.js';
import { ModelReader } from '../../../models/directory/modelReader.js';
import { decodeModelFile } from '../../../models/file/decodeModelFile.js';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { folderStagingStore } from '../../../models/file/folderStagingStore.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { openModel } from '../../../models/openModel.js';
import { compressFile, decompressFile } from '../../../readers/hctFiles.js';
import { decodeFromFile } from '../../../readers/holotensorFiles.js';
import { fileSink } from '../../../sinks/file.js';
import { encodeToFile } from '../../../sinks/holotensorFile.js';
import { type LeftoverKind, temporaryPath } from '../../../sinks/leftovers.js';
import { openCache } from '../../../sources/cache/cache.js';
import { folderStore } from '../../../sources/cache/folderStore.js';
import { memoryStore } from '../../../sources/cache/store.js';
import { withCache } from '../../../sources/cache/withCache.js';
import { fileSource } from '../../../sources/file.js';
import type { AbortOptions } from '../../../src/checks/abortOptions.js';
import { viewBytes, viewElements } from '../../../src/tensor/tensor.js';
import { modelOf, type TestTensor } from '../../helpers/models.js';
import { noise } from '../../helpers/random.js';
import type { Version } from './target.js';

export interface FileJob {
  /** Makes what a killed run has left. */
  readonly prepare?: (target: string) => void;
  readonly name: string;
  /** The files that it reads while it works, of the new version. */
  readonly inputs: readonly string[];
  /** The name of what it writes; a folder ends with a slash. */
  readonly target: string;
  /** It does not replace what is there. */
  readonly onlyNew?: true;
  /** It works without what it writes: no fault of the file system makes it fail. */
  readonly neverFails?: true;
  run(version: Version, target: string, options?: AbortOptions): Promise<void>;
}

const SHAPE = [70, 60];
const BYTES = 4 * 70 * 60;
const HCT = { dtype: 'F32', shape: SHAPE, blockSize: 4096 } as const;

/**
 * @param folder gets the inputs
 */
export async function fileJobs(folder: string): Promise<readonly FileJob[]> {
  const pathOf = (version: Version, name: string) => join(folder, `${version}-${name}`);
  for (const [seed, version] of (['old', 'new'] as const).entries()) {
    const numbers = viewBytes(noise(BYTES / 4, seed + 1));
    writeFileSync(pathOf(version, 'raw'), numbers);
    const tensors = ['a', 'b'].map(
      (name): TestTensor => ({ name: version + name, dtype: 'F32', shape: SHAPE }),
    );
    const fill = (_: TestTensor, byteLength: number) => numbers.subarray(0, byteLength);
    writeFileSync(pathOf(version, 'safetensors'), modelOf(tensors, undefined, fill));
    await compressFile(pathOf(version, 'raw'), pathOf(version, 'hct'), HCT);
    await encodeToFile(pathOf(version, 'holo'), tensorOf(numbers), 'embedded');
    await withFile(pathOf(version, 'safetensors'), async (source) => {
      const sink = await modelFolderSink(pathOf(version, 'model'));
      await encodeModel(source, sink.openFile);
      await sink.close();
      const inputs = [{ name: 'model.safetensors', source }];
      await encodeModelFile(inputs, await fileSink(pathOf(version, 'modelFile')), memoryStagingStore());
    });
  }
  const writeModel: FileJob['run'] = (version, target, options) =>
    withFile(pathOf(version, 'safetensors'), async (source) => {
      const sink = await modelFolderSink(target);
      try {
        await encodeModel(source, sink.openFile, options);
        await sink.close();
      } catch (error) {
        await sink.abort();
        throw error;
      }
    });
  return [
    {
      name: 'compressFile',
      inputs: [pathOf('new', 'raw')],
      target: 'w.hct',
      run: async (version, target, options) => {
        await compressFile(pathOf(version, 'raw'), target, { ...HCT, ...options });
      },
    },
    {
      name: 'decompressFile',
      inputs: [pathOf('new', 'hct')],
      target: 'w.raw',
      run: (version, target, options) => decompressFile(pathOf(version, 'hct'), target, options),
    },
    {
      name: 'encodeToFile',
      inputs: [],
      target: 'w.holo',
      run: async (version, target, options) => {
        await encodeToFile(target, tensorOf(readFileSync(pathOf(version, 'raw'))), 'embedded', options);
      },
    },
    {
      name: 'encodeModel',
      inputs: [pathOf('new', 'safetensors')],
      target: 'model/',
      run: writeModel,
    },
    {
      name: 'encodeModel, after a killed run',
      inputs: [pathOf('new', 'safetensors')],
      target: 'model/',
      prepare: (target) => {
        cpSync(target, ofDeadProcess(target, 'partial'), { recursive: true });
        renameSync(target, ofDeadProcess(target, 'old'));
      },
      run: writeModel,
    },
    {
      name: 'encodeModelFile',
      inputs: [pathOf('new', 'safetensors')],
      target: 'm.holo.safetensors',
      run: (version, target, options) =>
        withFile(pathOf(version, 'safetensors'), async (source) => {
          const staging = await folderStagingStore(`${target}-staging`);
          try {
            const inputs = [{ name: 'model.safetensors', source }];
            await encodeModelFile(inputs, await fileSink(target), staging, options);
          } finally {
            await staging.remove();
          }
        }),
    },
    {
      name: 'decodeModelFile',
      inputs: [pathOf('new', 'modelFile')],
      target: 'm/',
      onlyNew: true,
      run: (version, target, options) =>
        withFile(pathOf(version, 'modelFile'), async (source) => {
          const sink = await modelFolderSink(target);
          try {
            await decodeModelFile(source, sink.openFile, options);
            await sink.close();
          } catch (error) {
            await sink.abort();
            throw error;
          }
        }),
    },
    {
      name: 'decodeFromFile',
      inputs: [pathOf('new', 'holo')],
      target: 'w.raw',
      run: async (version, target, options) => {
        const { data } = await decodeFromFile(pathOf(version, 'holo'), { dtype: 'source', ...options });
        writeFileSync(target, viewBytes(data));
      },
    },
    {
      name: 'ModelReader',
      inputs: ['manifest.json', 'newa.hct'].map((name) => join(pathOf('new', 'model'), name)),
      target: 'w.raw',
      run: async (version, target, options) => {
        const reader = await ModelReader.open(modelFolder(pathOf(version, 'model')), options);
        const { data } = await reader.read(`${version}a`, options);
        writeFileSync(target, viewBytes(data));
      },
    },
    {
      name: 'openModel: a folder',
      inputs: ['manifest.json', 'newa.hct'].map((name) => join(pathOf('new', 'model'), name)),
      target: 'w.raw',
      run: async (version, target, options) => {
        const model = await openModel(modelFolder(pathOf(version, 'model')), options);
        try {
          const { data } = await model.tensor(`${version}a`, { as: 'source', ...options });
          writeFileSync(target, viewBytes(data));
        } finally {
          await model.close();
        }
      },
    },
    {
      name: 'openModel: a model file',
      inputs: [pathOf('new', 'modelFile')],
      target: 'w.raw',
      run: (version, target, options) =>
        withFile(pathOf(version, 'modelFile'), async (source) => {
          const model = await openModel(source, options);
          try {
            const { data } = await model.tensor(`${version}a`, { as: 'source', ...options });
            writeFileSync(target, viewBytes(data));
          } finally {
            await model.close();
          }
        }),
    },
    {
      name: 'withCache, a folder',
      inputs: [],
      target: 'cache/',
      neverFails: true,
      run: async (version, target, options) => {
        const cache = openCache(await folderStore(target).catch(memoryStore));
        const bytes = readFileSync(pathOf(version, 'raw'));
        const inner = {
          size: bytes.length,
          version: async () => version,
          read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
          stream: () => new Blob([bytes]).stream(),
        };
        const source = withCache(inner, cache);
        for (let pass = 0; pass < 2; pass++) {
          const read = await source.read(0, bytes.length, options);
          assert.ok(bytes.equals(read), 'the cache gives other bytes');
        }
      },
    },
  ];
}

/** A path beside the target as a process made it that runs no more. */
function ofDeadProcess(target: string, kind: LeftoverKind): string {
  return disowned(temporaryPath(target, kind));
}

/** The path that a process which runs no more would have used in place of this one. */
export function disowned(path: string): string {
  return path.replace(/-\d+-[0-9a-f]{8}-/, '-999999999-00000001-');
}

function tensorOf(bytes: Uint8Array) {
  return { dtype: 'F32', shape: SHAPE, data: viewElements('F32', new Uint8Array(bytes)) } as const;
}

async function withFile(
  path: string,
  use: (source: Awaited<ReturnType<typeof fileSource>>) => Promise<void>,
): Promise<void> {
  await using source = await fileSource(path);
  await use(source);
}
