import { flag, type Rules } from '../src/checks/options.js';

/** The option of everything that opens files of fragments, which can be used before they are complete. */
export interface PartialOption {
  /**
   * Opens a file that ends early, such as an interrupted download, and uses the fragments that are complete. The source
   * must end where the file does; one of unknown size is read to its end. The header must be complete, and everything
   * is verified as usual. Default false: such a file is a TruncatedError.
   */
  readonly partial?: boolean | undefined;
}

export const PARTIAL_RULES: Rules<PartialOption> = { partial: flag };
