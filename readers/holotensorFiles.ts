import { fileSource } from '../sources/file.js';
import type { AbortOptions } from '../src/checks/abortOptions.js';
import type { EncodedTensor } from '../src/holotensor/encoder.js';
import type { Reconstruction } from '../src/holotensor/reconstruction.js';
import type { UnpackOptions } from '../src/holotensor/unpack.js';
import { HoloTensorReader, type HoloTensorReadOptions } from './holotensorReader.js';
import type { PartialOption } from './partial.js';

/** How a HoloTensor file is opened. */
export type HoloTensorFileOptions = UnpackOptions & AbortOptions & PartialOption;
/** How a HoloTensor file is opened and decoded. */
export type HoloTensorDecodeOptions = UnpackOptions & PartialOption & HoloTensorReadOptions;

/**
 * Opens a HoloTensor file for random access; it is open until the reader is closed.
 *
 * @example
 * const reader = await openHoloTensor('fc1.weight.holo');
 * const { data, quality } = await reader.readToQuality(0.99);
 * console.log(data.length, quality);
 * await reader.close();
 */
export async function openHoloTensor(
  path: string | URL,
  options: HoloTensorFileOptions = {},
): Promise<HoloTensorReader> {
  const source = await fileSource(path);
  try {
    return await HoloTensorReader.open(source, options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/**
 * The header and all fragments of a HoloTensor file, verified and decompressed, as `writeHoloTensor` takes them.
 *
 * @example
 * const { header, fragments } = await readHoloTensor('fc1.weight.holo');
 * console.log(header.shape, fragments.length);
 */
export async function readHoloTensor(
  path: string | URL,
  options: HoloTensorFileOptions = {},
): Promise<Pick<EncodedTensor, 'header' | 'fragments'>> {
  return withReader(path, options, async (reader) => {
    const fragments = [];
    for (const { index } of reader.available) fragments.push(await reader.readFragment(index, options));
    return { header: reader.header, fragments };
  });
}

/**
 * The whole tensor of a HoloTensor file.
 *
 * @example
 * const { shape, data } = await decodeFromFile('fc1.weight.holo');
 * console.log(shape, data.length);
 */
export async function decodeFromFile(
  path: string | URL,
  options: HoloTensorDecodeOptions = {},
): Promise<Reconstruction> {
  return withReader(path, options, (reader) => reader.readAll(options));
}

/**
 * The tensor of a HoloTensor file from the fewest fragments that reach this quality: see
 * `HoloTensorReader.readToQuality`.
 *
 * @example
 * const { data, quality } = await decodeFromFileProgressive('fc1.weight.holo', 0.97);
 * console.log(data.length, quality);
 */
export async function decodeFromFileProgressive(
  path: string | URL,
  quality: number,
  options: HoloTensorDecodeOptions = {},
): Promise<Reconstruction> {
  return withReader(path, options, (reader) => reader.readToQuality(quality, options));
}

async function withReader<T>(
  path: string | URL,
  options: HoloTensorFileOptions,
  use: (reader: HoloTensorReader) => Promise<T>,
): Promise<T> {
  const reader = await openHoloTensor(path, options);
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}
