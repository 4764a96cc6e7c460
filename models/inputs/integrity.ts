import { nodeModule } from '../../platform/nodeModule.js';
import { nextTask, oneStep, type Steps } from '../../src/async/steps.js';
import { Sha256 } from '../../src/bytes/sha256.js';
import { ArgumentError, ChecksumError } from '../../src/errors.js';
import type { SafetensorsHeader } from '../../src/safetensors/header.js';
import { type RandomAccessSource, sourceName } from '../../src/source.js';
import { type Tensor, viewElements } from '../../src/tensor/tensor.js';
import { tensorWeight } from '../tensorWeight.js';
import {
  type Integrity,
  type LoadableTensor,
  type PieceDecoder,
  type PieceFile,
  sharedFile,
} from './content.js';

/** Bytes that are hashed at a time: about 20 ms where the engine has no hash of its own that takes pieces. */
const STEP = 2 ** 21;

interface Hash {
  update(bytes: Uint8Array): unknown;
}

/**
 * The SHA-256 that each file must have, in hexadecimal digits.
 * @throws ArgumentError where one is missing or malformed
 */
export function hashesOf(files: readonly string[], integrity: Integrity): ReadonlyMap<string, string> {
  if (typeof integrity === 'string' && files.length > 1) {
    throw new ArgumentError(
      'Cannot verify the files: the option integrity has one SHA-256 for several of them',
      {
        expected: 'an object with that of each file, by its name',
        actual: integrity,
      },
    );
  }
  return new Map(files.map((file) => [file, hashOf(file, integrity)]));
}

/** The SHA-256 that one file must have. @throws ArgumentError where it is missing or malformed */
export function hashOf(name: string | undefined, integrity: Integrity): string {
  const own = typeof integrity === 'object' && name !== undefined && Object.hasOwn(integrity, name);
  const text = own ? integrity[name] : integrity;
  const digits = typeof text === 'string' ? digitsOf(text.trim()) : undefined;
  if (digits !== undefined) return digits;
  throw new ArgumentError('Cannot verify the file: the option integrity has no SHA-256 of it', {
    name,
    expected: '64 hexadecimal digits, or sha256- and Base64',
    actual: text,
  });
}

function digitsOf(text: string): string | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  const [, base64] = /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(text) ?? [];
  if (base64 === undefined) return undefined;
  return Array.from(atob(base64), (char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

/** The tensors of a plain safetensors file that has a known SHA-256: they are given out once all of its bytes have it. */
export async function verifiedTensors(
  { tensors, byteLength, fileSize }: SafetensorsHeader,
  headerBytes: Uint8Array,
  source: RandomAccessSource,
  sha256: string,
): Promise<LoadableTensor[]> {
  const check = new FileCheck(headerBytes, fileSize, sha256, sourceName(source));
  const file: PieceFile = { ...sharedFile(source), whole: true };
  // Without data, nothing would come that completes it.
  if (byteLength === fileSize) await check.add(fileSize, new Uint8Array(0));
  return tensors.map(({ name, dtype, shape, offset, byteLength: length }): LoadableTensor => {
    const decode = (bytes: Uint8Array): Tensor => ({ dtype, shape, data: viewElements(dtype, bytes) });
    return {
      name,
      dtype,
      shape,
      byteLength: length,
      weight: tensorWeight(shape),
      pieces: [{ file, offset, length, cosine: 1 }],
      createDecoder: async () => new VerifiedDecoder(check, offset, decode),
    };
  });
}

/** Hashes the bytes of a file in their order, as they arrive in any. */
class FileCheck {
  readonly #hash: Hash;
  readonly #digest: () => string;
  readonly #fileSize: number;
  readonly #expected: string;
  readonly #name: string | undefined;
  /** Bytes that came before those in front of them, by their offsets. */
  readonly #early = new Map<number, Uint8Array>();
  #position = 0;
  #hashing: Promise<void>;
  #verified = false;

  constructor(header: Uint8Array, fileSize: number, expected: string, name: string | undefined) {
    const ofNode = nodeModule('node:crypto')?.createHash('sha256');
    const own = new Sha256();
    this.#hash = ofNode ?? own;
    this.#digest = () => ofNode?.digest('hex') ?? own.digest();
    this.#fileSize = fileSize;
    this.#expected = expected;
    this.#name = name;
    this.#hashing = this.#take(header);
  }

  /** All bytes are here, and the file is the one that was expected. */
  get verified(): boolean {
    return this.#verified;
  }

  /** @throws ChecksumError with the last bytes of a file that is another one */
  add(offset: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) this.#early.set(offset, bytes);
    this.#hashing = this.#hashing.then(() => this.#takeAll());
    return this.#hashing;
  }

  /** Waits for what was added. @throws ChecksumError */
  settle(): Promise<void> {
    return this.#hashing;
  }

  async #takeAll(): Promise<void> {
    for (let bytes = this.#early.get(this.#position); bytes !== undefined; ) {
      this.#early.delete(this.#position);
      await this.#take(bytes);
      bytes = this.#early.get(this.#position);
    }
    if (this.#position < this.#fileSize || this.#verified) return;
    const actual = this.#digest();
    if (actual !== this.#expected) {
      throw new ChecksumError('Cannot use the file: its SHA-256 differs', {
        file: this.#name,
        expected: BigInt(`0x${this.#expected}`),
        actual: BigInt(`0x${actual}`),
      });
    }
    this.#verified = true;
  }

  async #take(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += STEP) {
      this.#hash.update(bytes.subarray(at, at + STEP));
      if (at + STEP < bytes.length) await nextTask();
    }
    this.#position += bytes.length;
  }
}

/** A tensor that is one piece, and waits for the rest of its file. */
class VerifiedDecoder implements PieceDecoder {
  readonly #check: FileCheck;
  readonly #offset: number;
  readonly #decode: (bytes: Uint8Array) => Tensor;
  #tensor: Tensor | undefined;

  constructor(check: FileCheck, offset: number, decode: (bytes: Uint8Array) => Tensor) {
    this.#check = check;
    this.#offset = offset;
    this.#decode = decode;
  }

  async add(_piece: number, bytes: Uint8Array): Promise<void> {
    this.#tensor = this.#decode(bytes);
    await this.#check.add(this.#offset, bytes);
  }

  /** @returns false: there is more to wait for */
  async settle(): Promise<boolean> {
    await this.#check.settle();
    return this.complete;
  }

  get complete(): boolean {
    return this.#tensor !== undefined && this.#check.verified;
  }

  get cosine(): number {
    return this.complete ? 1 : 0;
  }

  reconstructingTensor(): Steps<Tensor | undefined> {
    return oneStep(() => (this.complete ? this.#tensor : undefined));
  }
}
