import type { SafetensorsDType } from './dtypes.js';

/** Bytes of the length field that a file begins with. */
export const SAFETENSORS_LENGTH_SIZE = 8;

/** The cap of the format's own implementation: 100 MB of JSON is beyond a million tensors. */
export const SAFETENSORS_MAX_HEADER_SIZE = 100_000_000;

/** The member of the header that is no tensor but free text. */
export const SAFETENSORS_METADATA_KEY = '__metadata__';

/** What a tensor is, before it has a place in a file. */
export interface SafetensorsDeclaration {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/** A tensor's entry in the header. */
export interface SafetensorsTensor extends SafetensorsDeclaration {
  /** Its first byte, counted from the start of the file (the header itself counts from the end of the header). */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** Free text of the file, by key; empty when there is none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data. */
  readonly tensors: readonly SafetensorsTensor[];
  /** Bytes from the start of the file to the first tensor. */
  readonly byteLength: number;
  /** Bytes of the whole file: tensors follow each other without holes up to its end. */
  readonly fileSize: number;
}
