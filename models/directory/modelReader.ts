import { readHctChunks } from '../../readers/hctChunks.js';
import { HctSourceReader } from '../../readers/hctSourceReader.js';
import { readChunks, readWhole } from '../../sources/read.js';
import { decodeText } from '../../src/bytes/json.js';
import { withRoom } from '../../src/bytes/room.js';
import {
  type AllLimits,
  Budget,
  beyondLimit,
  checkTensorBytes,
  type LimitsOption,
  limitsOf,
  type OpenOptions,
} from '../../src/checks/limits.js';
import { callback, check, checkOptions } from '../../src/checks/options.js';
import { OPEN_RULES } from '../../src/checks/rules.js';
import { inPlace, withPlace } from '../../src/errors/placed.js';
import { ArgumentError, ChecksumError, FormatError } from '../../src/errors.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { type RandomAccessSource, sourceName } from '../../src/source.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import {
  MANIFEST,
  MANIFEST_NAME,
  MANIFEST_TENSOR,
  type ManifestTensor,
  type ModelManifest,
  parseManifest,
} from './manifest.js';
import { TensorHash } from './tensorHash.js';

/** Opens a file of a model directory by its plain name. */
export type OpenModelFile = (name: string) => RandomAccessSource | Promise<RandomAccessSource>;

/**
 * A model directory in a folder, on a web server, or anywhere else. Nothing in it is trusted: sizes are compared with
 * the files, dtypes with the HCT headers, and every tensor's bytes with the hash in the manifest.
 *
 * @example
 * const model = await ModelReader.open((file) => httpSource(new URL(file, 'https://example.org/model/')));
 * const { shape, data } = await model.read('fc1.weight');
 */
export class ModelReader {
  readonly manifest: ModelManifest;
  readonly #openFile: OpenModelFile;
  readonly #tensors: ReadonlyMap<string, ManifestTensor>;

  readonly #limits: AllLimits;

  /** Of a manifest that has been read; {@link ModelReader.open} reads it. @param options `limits` of the tensors */
  constructor(manifest: ModelManifest, openFile: OpenModelFile, options: LimitsOption = {}) {
    check('manifest', manifest, MANIFEST);
    check('openFile', openFile, callback);
    this.manifest = manifest;
    this.#tensors = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
    this.#openFile = openFile;
    this.#limits = limitsOf(options);
  }

  /** @throws FormatError, LimitError, SourceError */
  static async open(openFile: OpenModelFile, options: OpenOptions = {}): Promise<ModelReader> {
    check('openFile', openFile, callback);
    checkOptions(options, OPEN_RULES);
    const source = await openFile(MANIFEST_NAME);
    try {
      return new ModelReader(await readManifest(source, options), openFile, options);
    } finally {
      await source.close?.();
    }
  }

  /** @throws ArgumentError when the model has no tensor of this name */
  tensor(name: string): ManifestTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined)
      throw new ArgumentError('Cannot find the tensor: no tensor of this name in the model', { name });
    return tensor;
  }

  /**
   * One tensor in memory.
   * @param options `limits` take the place of those of `open`
   * @throws ArgumentError, LimitError, and what {@link chunks} throws
   */
  async read(name: string, options: OpenOptions = {}): Promise<Tensor> {
    const tensor = this.tensor(name);
    checkOptions(options, OPEN_RULES);
    const { dtype, shape, byteLength } = tensor;
    const limits = this.#limitsOf(options);
    checkTensorBytes(limits, byteLength, name);
    let bytes: Uint8Array = new Uint8Array(0);
    let filled = 0;
    for await (const chunk of this.chunks(tensor, options)) {
      const { most } = new Budget(limits, filled);
      bytes = withRoom(bytes, filled + chunk.length, byteLength, most);
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return { dtype, shape, data: viewElements(dtype, bytes) };
  }

  /**
   * The bytes of a tensor, decoded in pieces; exactly `byteLength` of them, or an error. The hash is verified after the
   * last piece.
   * @throws ChecksumError, FormatError, TruncatedError, CodecError, LimitError, SourceError
   */
  async *chunks(tensor: ManifestTensor, options: OpenOptions = {}): AsyncGenerator<Uint8Array> {
    checkOptions(options, OPEN_RULES);
    check('tensor', tensor, MANIFEST_TENSOR);
    const source = await this.#openFile(tensor.file);
    try {
      yield* this.#chunksOf(tensor, source, options);
    } catch (error) {
      throw inPlace(error, { file: sourceName(source) ?? tensor.file, tensor: tensor.name });
    } finally {
      await source.close?.();
    }
  }

  async *#chunksOf(
    tensor: ManifestTensor,
    source: RandomAccessSource,
    options: OpenOptions,
  ): AsyncGenerator<Uint8Array> {
    const { byteLength, xxh3 } = tensor;
    const hash = new TensorHash(await loadKernels(['xxh3']));
    const pieces =
      tensor.format === 'hct'
        ? readHctChunks(
            await openHct(source, tensor, { ...options, limits: this.#limitsOf(options) }),
            options,
          )
        : readChunks(source, 0, byteLength, options);
    // The size is known at the latest after the first read: here, of an HCT file's header.
    checkFileSize(tensor, source);
    for await (const piece of pieces) {
      hash.update(piece);
      yield piece;
    }
    const actual = hash.digest();
    if (actual !== xxh3) {
      throw new ChecksumError('Cannot use the bytes of the tensor: wrong hash', {
        expected: BigInt(`0x${xxh3}`),
        actual: BigInt(`0x${actual}`),
      });
    }
  }

  #limitsOf({ limits }: OpenOptions): AllLimits {
    return limits === undefined ? this.#limits : limitsOf({ limits: { ...this.#limits, ...limits } });
  }
}

/**
 * Opens the HCT file of a tensor.
 * @throws FormatError when it holds another tensor than the manifest says
 */
export async function openHct(
  source: RandomAccessSource,
  { name, dtype, byteLength, file }: ManifestTensor,
  options: OpenOptions,
): Promise<HctSourceReader> {
  const reader = await HctSourceReader.open(source, options);
  const { header } = reader;
  if (header.dtype !== dtype || header.originalSize !== byteLength) {
    throw new FormatError(`Cannot read the tensor: ${file} holds another one`, {
      tensor: name,
      expected: `${dtype}, ${byteLength} bytes`,
      actual: `${header.dtype}, ${header.originalSize} bytes`,
    });
  }
  return reader;
}

/** @throws FormatError when the file of a tensor has another size than the manifest says, as far as it is known */
export function checkFileSize(
  { name: tensor, file, fileSize }: ManifestTensor,
  source: RandomAccessSource,
): void {
  const { size } = source;
  if (size === undefined || size === fileSize) return;
  throw new FormatError('Cannot read the file of a tensor: wrong size', {
    file: sourceName(source) ?? file,
    tensor,
    expected: fileSize,
    actual: size,
  });
}

/** @throws FormatError, LimitError, SourceError */
export async function readManifest(source: RandomAccessSource, options: OpenOptions): Promise<ModelManifest> {
  const limits = limitsOf(options);
  const tooLarge = () => beyondLimit(limits, 'manifestBytes', 'Cannot read the manifest: it is too large');
  return withPlace({ file: sourceName(source) }, async () => {
    const bytes = await readWhole(source, limits.manifestBytes, tooLarge, options);
    return parseManifest(decodeText(bytes, 'Cannot read the manifest'), { limits });
  });
}
