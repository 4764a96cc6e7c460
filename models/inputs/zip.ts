import { runScan } from '../../readers/runScan.js';
import { FormatError } from '../../src/errors.js';
import type { RandomAccessSource } from '../../src/source.js';
import { scanZip } from '../../src/zip/scanZip.js';
import type { ForeignModel, ForeignModelOptions } from './foreignModel.js';
import { openNpz } from './npz.js';
import { openTorch } from './torch.js';

/** A zip archive: of NumPy's arrays, or a checkpoint of PyTorch. */
export async function openZip(
  source: RandomAccessSource,
  options: ForeignModelOptions,
): Promise<ForeignModel> {
  const { limits } = options;
  const entries = await runScan(source, (window) => scanZip(window, { limits }), options);
  if (entries.some(({ name }) => /(^|\/)data\.pkl$/.test(name))) return openTorch(source, entries, options);
  if (entries.some(({ name }) => name.endsWith('.npy'))) return openNpz(source, entries, options);
  throw new FormatError('Cannot open the zip archive as a model: it has neither .npy files nor data.pkl');
}
