import type { FragmentIndexEntry } from './fragmentIndex.js';
import type { HoloTensorHeader } from './header.js';

/** A part of a tensor: what an encoder makes and a decoder takes. */
export interface HoloFragment {
  /** Which one it is, counted from 0. */
  readonly index: number;
  /** The encoding's payload, not compressed. */
  readonly data: Uint8Array;
}

/** A fragment as it stands in a file: neither verified nor decompressed. */
export interface StoredFragment {
  readonly header: HoloTensorHeader;
  readonly entry: FragmentIndexEntry;
  /** A view of the chunk it came in where it lies within one. */
  readonly stored: Uint8Array;
}

/** A fragment that came out of a file, verified and decompressed, with all that stood in front of it. */
export interface ReceivedFragment extends HoloFragment {
  readonly header: HoloTensorHeader;
  readonly entry: FragmentIndexEntry;
}
