import { modelFolderSink } from '../../models/directory/modelFolder.js';
import { assertNames } from '../../models/file/decodeModelFile.js';
import { type ModelFile, readModelFile } from '../../models/file/modelFile.js';
import type { SourceFile } from '../../models/file/plan.js';
import { sourceFileHeader, sourceFileTensors } from '../../models/file/sourceFiles.js';
import { modelFileContent } from '../../models/inputs/modelFile.js';
import { SHARD_INDEX_NAME } from '../../models/inputs/shardIndexName.js';
import {
  type Chosen,
  type ChosenTensor,
  choosePieces,
  type PieceChoice,
} from '../../models/plain/choosePieces.js';
import {
  boundOfParts,
  memoryForParts,
  type PartsMemory,
  type TensorPart,
  tensorParts,
} from '../../models/plain/tensorParts.js';
import { sinkStream } from '../../sinks/streams.js';
import { streamSource } from '../../sources/stream.js';
import { Budget, limitsOf, type OpenOptions } from '../../src/checks/limits.js';
import { quote } from '../../src/errors/show.js';
import { serializeSafetensorsHeader } from '../../src/safetensors/serialize.js';
import type { RandomAccessSource } from '../../src/source.js';
import { inOrder } from '../../workers/inOrder.js';
import { loadPool } from '../../workers/loadPool.js';
import type { WorkerPool } from '../../workers/pool.js';
import { UsageError } from '../failure.js';
import { isDirectory, STANDARD, tellLeftover, writeOutput } from '../files.js';
import type { Outcome } from '../output.js';
import { type Progress, startProgress } from '../progress.js';
import { describeModelReach, isCutOff } from '../reach.js';
import { assertTensors } from '../suggest.js';
import { tell } from '../terminal.js';
import { threadsFor, type WorkersChoice } from '../threads.js';

/**
 * Decodes a model file, or a part of it, to one safetensors file, to standard output, or to a folder of the files it was
 * made from. The file may end early.
 */
export async function decodeFromModelFile(
  source: RandomAccessSource,
  output: string,
  choice: PieceChoice,
  options: OpenOptions & WorkersChoice,
): Promise<Outcome> {
  const toFolder = output.endsWith('/') || (await isDirectory(output));
  if (toFolder && choice.tensors !== undefined)
    throw new UsageError('--tensor makes one file, not a directory');
  const model = await readModelFile(source, { ...options, partial: true });
  const suffix = ownSuffix(model);
  if (!toFolder && output !== STANDARD && ![suffix, '.safetensors'].some((end) => output.endsWith(end))) {
    const kinds = [...new Set([suffix, '.safetensors'])].join(' or ');
    throw new UsageError(`A model file becomes a ${kinds} file or a directory, not ${quote(output)}`);
  }
  assertTensors(
    choice.tensors ?? [],
    model.tensors.map(({ name }) => name),
  );
  const chosen = choosePieces(modelFileContent(model, source).tensors, choice);
  const size = sum(chosen.tensors, ({ tensor }) => tensor.byteLength);
  using progress = startProgress('decoding', size);
  const pool = await loadPool(threadsFor(options.workers, size));
  const decoder = new Decoder(model, chosen, progress, pool, options);
  await (toFolder ? decoder.toFolder(output) : decoder.toFile(output, choice.tensors !== undefined));
  if (isCutOff(model)) tell(`holostream: ${describeModelReach({ ...model, ...chosen })}`);
  const { length: empty } = chosen.tensors.filter(({ cosine }) => cosine === 0);
  if (empty > 0) {
    tell(`holostream: ${empty} of ${chosen.tensors.length} tensors have no numbers yet: they are zeros`);
  }
  const { quality } = chosen;
  return {
    ...{ tensors: chosen.tensors.length, originalSize: size, fileSize: size },
    more: {
      data: { quality, zeros: empty },
      words: [quality === 1 ? 'exact' : `quality ${quality.toFixed(6)}`],
    },
  };
}

/** Names of what is around the tensors of files of other formats: their bytes, which have no names of their own. */
function namesBetween({ plan: { files } }: ModelFile, options: OpenOptions): ReadonlySet<string> {
  const names = files
    .filter(({ bare }) => bare)
    .flatMap((file) =>
      sourceFileTensors(file, options).flatMap(({ name, offset }) =>
        name.replace(/_+$/, '') === `${file.name}:${offset}` ? [name] : [],
      ),
    );
  return new Set(names);
}

/** What the name of the file that a model was made of ends with, if it has another format. */
function ownSuffix({ plan: { files } }: ModelFile): string {
  const [only, ...others] = files;
  const suffix = only?.bare && others.length === 0 ? /\.[^.]+$/.exec(only.name)?.[0] : undefined;
  return suffix ?? '.safetensors';
}

/** A file to write: what it begins with, and what follows. */
interface DecodedFile {
  readonly start: Uint8Array;
  readonly parts: readonly TensorPart[];
}

/** Decodes what is chosen of a model file, in the order of its tensors. */
class Decoder {
  readonly #model: ModelFile;
  readonly #tensors: ReadonlyMap<string, ChosenTensor>;
  readonly #budget: Budget;
  readonly #progress: Progress;
  readonly #pool: WorkerPool | undefined;
  readonly #options: OpenOptions;
  readonly #bound: ReturnType<typeof boundOfParts>;
  readonly #memory: PartsMemory;

  constructor(
    model: ModelFile,
    chosen: Chosen,
    progress: Progress,
    pool: WorkerPool | undefined,
    options: OpenOptions,
  ) {
    this.#model = model;
    this.#tensors = new Map(chosen.tensors.map((one) => [one.tensor.name, one]));
    this.#budget = new Budget(limitsOf(options), chosen.bytes);
    this.#progress = progress;
    this.#pool = pool;
    this.#options = options;
    this.#bound = boundOfParts(chosen.tensors, pool);
    this.#memory = memoryForParts(chosen.tensors, pool);
  }

  /** The file that the model was made from; of several, or of chosen tensors, one with a header of its own. */
  async toFile(output: string, isPart: boolean): Promise<void> {
    const { plan, metadata, tensors } = this.#model;
    const [only, ...others] = plan.files;
    const isOriginal = output === STANDARD || output.endsWith(ownSuffix(this.#model));
    const between = isPart ? new Set<string>() : namesBetween(this.#model, this.#options);
    const isListed = ({ name }: { readonly name: string }) => this.#tensors.has(name) && !between.has(name);
    const listed = tensors.filter(isListed);
    const file =
      only !== undefined && others.length === 0 && !isPart && isOriginal
        ? this.#file(only)
        : this.#fileOf(
            serializeSafetensorsHeader(listed, metadata).bytes,
            listed.map(({ name }) => name),
          );
    await this.#decode([file], ([chunks]) => writeOutput(output, chunks!, this.#options));
  }

  /** The files that the model was made from, and their index. */
  async toFolder(output: string): Promise<void> {
    const { files, index } = this.#model.plan;
    // Beside the files, and by a name that one of them must not have.
    assertNames(index === undefined ? files : [...files, { name: SHARD_INDEX_NAME, header: '' }]);
    const entries = files.map((file) => ({ name: file.name, file: this.#file(file) }));
    if (index !== undefined) {
      entries.push({ name: SHARD_INDEX_NAME, file: { start: new TextEncoder().encode(index), parts: [] } });
    }
    const folder = await modelFolderSink(output, { onLeftover: tellLeftover });
    const write = async (chunksOf: readonly AsyncIterable<Uint8Array>[]) => {
      for (const [i, { name }] of entries.entries()) {
        const stream = streamSource(chunksOf[i]!).stream(this.#options);
        await stream.pipeTo(sinkStream(await folder.openFile(name)));
      }
    };
    try {
      await this.#decode(
        entries.map(({ file }) => file),
        write,
      );
      await folder.close();
    } catch (error) {
      await folder.abort();
      throw error;
    }
  }

  #file(file: SourceFile): DecodedFile {
    return this.#fileOf(
      sourceFileHeader(file),
      sourceFileTensors(file, this.#options).map(({ name }) => name),
    );
  }

  #fileOf(start: Uint8Array, names: readonly string[]): DecodedFile {
    return { start, parts: names.flatMap((name) => tensorParts(this.#tensors.get(name)!)) };
  }

  /**
   * Decodes files one after another, and the beginning of the next one while the last is written and closed: a disk takes its
   * time for that.
   * @param write takes the chunks of each file, in this order
   */
  async #decode(
    files: readonly DecodedFile[],
    write: (chunks: readonly AsyncIterable<Uint8Array>[]) => Promise<void>,
  ): Promise<void> {
    const tools = { budget: this.#budget, pool: this.#pool, memory: this.#memory };
    const decode = (part: TensorPart, signal: AbortSignal) => part.decode({ ...tools, signal });
    const parts = files.flatMap((file) => file.parts);
    const decoded = inOrder(parts, this.#bound, decode, this.#options.signal);
    try {
      await write(files.map((file) => this.#chunks(file, decoded)));
    } finally {
      // Where writing has failed, work is under way.
      await decoded.return(undefined);
    }
  }

  /** @param decoded goes on with the parts of this file */
  async *#chunks(
    { start, parts }: DecodedFile,
    decoded: AsyncGenerator<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    yield start;
    for (let i = 0; i < parts.length; i++) {
      const { value: bytes } = (await decoded.next()) as IteratorYieldResult<Uint8Array>;
      const { length, buffer } = bytes;
      yield bytes;
      // What asks for the next chunk has written this one.
      this.#memory.parts.give(buffer);
      this.#progress.advance(length);
    }
  }
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
