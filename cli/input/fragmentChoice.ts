import { UsageError } from '../failure.js';

/** Which part of a file of fragments to use; at most one of the first three; without any, all of it. */
export interface FragmentChoice {
  readonly fragments?: readonly number[];
  /** The fewest, in order, that reach this cosine similarity. */
  readonly quality?: number;
  /** Those in the first this many bytes of the file. */
  readonly bytes?: number;
  /** Only these tensors of a model file. */
  readonly tensor?: readonly string[];
}

/** @throws UsageError where a part of a file is chosen that has no fragments */
export function refuseChoice({ fragments, quality, bytes, tensor }: FragmentChoice, kind: string): void {
  if ([fragments, quality, bytes, tensor].every((value) => value === undefined)) return;
  throw new UsageError(
    `--fragments, --quality, --bytes and --tensor are for HoloTensor and model files; this is ${kind}`,
  );
}
