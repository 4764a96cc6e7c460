import { asBytes, type BytesLike } from '../src/bytes/binary.js';
import { checkOptions, type Rules } from '../src/checks/options.js';
import { textMap } from '../src/checks/rules.js';
import { ArgumentError } from '../src/errors.js';
import type { SafetensorsDeclaration, SafetensorsHeader } from '../src/safetensors/header.js';
import { serializeSafetensorsHeader } from '../src/safetensors/serialize.js';
import { assertSink, type SeekableSink } from '../src/source.js';

/** What a safetensors file holds beside its tensors. */
export interface SafetensorsWriterOptions {
  /** Free text of the file, by key. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
}

const RULES: Rules<SafetensorsWriterOptions> = { metadata: textMap };

/**
 * Writes a safetensors file of tensors whose dtypes and shapes are known beforehand. Tensors may be written in any
 * order, in pieces, and interleaved; the bytes of one tensor come from start to end.
 *
 * @example
 * const sink = memorySink();
 * const writer = await SafetensorsWriter.open(sink, [{ name: 'w', dtype: 'F32', shape: [2, 2] }]);
 * await writer.write('w', new Uint8Array(16));
 * await writer.close();
 */
export class SafetensorsWriter {
  readonly header: SafetensorsHeader;
  readonly #sink: SeekableSink;
  readonly #tensors: Map<string, { offset: number; readonly end: number }>;

  private constructor(sink: SeekableSink, header: SafetensorsHeader) {
    this.#sink = sink;
    this.header = header;
    this.#tensors = new Map(
      header.tensors.map(({ name, offset, byteLength }) => [name, { offset, end: offset + byteLength }]),
    );
  }

  /**
   * Writes the header. The data is in the order of `tensors`.
   * @throws ArgumentError, LimitError when there is no such file, see `serializeSafetensorsHeader`
   */
  static async open(
    sink: SeekableSink,
    tensors: readonly SafetensorsDeclaration[],
    options: SafetensorsWriterOptions = {},
  ): Promise<SafetensorsWriter> {
    assertSink(sink);
    const { metadata } = checkOptions(options, RULES);
    const { header, bytes } = serializeSafetensorsHeader(tensors, metadata);
    await sink.write(bytes, 0);
    return new SafetensorsWriter(sink, header);
  }

  /**
   * Appends to a tensor.
   * @throws ArgumentError when the file has no tensor of this name, or the tensor no room for the bytes
   */
  async write(name: string, input: BytesLike): Promise<void> {
    const bytes = asBytes(input);
    const tensor = this.#tensor(name);
    const room = tensor.end - tensor.offset;
    if (bytes.length > room) {
      throw new ArgumentError(
        'Cannot write to the safetensors file: the tensor has no room for these bytes',
        {
          name,
          expected: `at most ${room}`,
          actual: bytes.length,
        },
      );
    }
    const position = tensor.offset;
    tensor.offset += bytes.length;
    await this.#sink.write(bytes, position);
  }

  /** A tensor's bytes as a stream to pipe into. An abort leaves the file to be aborted by its owner. @throws ArgumentError when the file has no such tensor */
  writable(name: string): WritableStream<BytesLike> {
    this.#tensor(name);
    return new WritableStream<BytesLike>({ write: (chunk) => this.write(name, chunk) });
  }

  #tensor(name: string): { offset: number; readonly end: number } {
    const tensor = this.#tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new ArgumentError('Cannot write to the safetensors file: it has no such tensor', { name });
  }

  /**
   * Makes the file final.
   * @throws ArgumentError when a tensor is not complete; the sink stays open
   */
  async close(): Promise<void> {
    for (const [name, { offset, end }] of this.#tensors) {
      if (offset === end) continue;
      throw new ArgumentError('Cannot finish the safetensors file: a tensor is not complete', {
        name,
        actual: `${end - offset} bytes missing`,
      });
    }
    await this.#sink.close();
  }

  /** Throws away what was written. */
  async abort(reason?: unknown): Promise<void> {
    await this.#sink.abort(reason);
  }
}
