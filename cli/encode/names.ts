import { quote } from '../../src/errors/show.js';
import { UsageError } from '../failure.js';
import type { EncodeOptions } from '../options.js';
import { tell } from '../terminal.js';
import { type Importance, readImportance } from './importance.js';

/** Names in one message. */
const MAX_SHOWN = 5;

/**
 * What names no tensor is a typing error as a pattern of `--keep`: the file would not be as it was asked for. A file of
 * factors may be of several models.
 * @returns the factors of `--importance`
 */
export async function checkNames(
  tensors: readonly { readonly name: string }[],
  { keep = [], importance: file }: Pick<EncodeOptions, 'keep' | 'importance'>,
): Promise<Importance | undefined> {
  const importance = file === undefined ? undefined : await readImportance(file);
  const names = tensors.map(({ name }) => name);
  const idle = keep.find((pattern) => !names.some((name) => pattern.test(name)));
  if (idle !== undefined) throw new UsageError(`--keep: no tensor has a name like ${quote(idle.text)}`);
  const unused = importance?.unused(names) ?? [];
  if (unused.length > 0) {
    const shown = unused.slice(0, MAX_SHOWN).map(quote).join(', ');
    const rest = unused.length > MAX_SHOWN ? ` and ${unused.length - MAX_SHOWN} more` : '';
    tell(`holostream: --importance: no tensor has a name like ${shown}${rest}`);
  }
  return importance;
}
