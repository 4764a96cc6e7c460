import { flag, type Rules } from '../src/checks/options.js';

/** The option of everything that opens files of fragments, which are of use before they are complete. */
export interface PartialOption {
  /**
   * Opens a file that ends early, such as a download that broke off, as far as it goes: what has no fragment in it stays
   * unloaded. The source must end where the file does; one that does not know its size is read to its end. The header
   * must be whole, and everything is verified as ever. Default false: a TruncatedError.
   */
  readonly partial?: boolean | undefined;
}

export const PARTIAL_RULES: Rules<PartialOption> = { partial: flag };
