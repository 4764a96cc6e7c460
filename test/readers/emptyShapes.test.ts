import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModel } from '../../models/directory/encodeModel.js';
import { ModelReader } from '../../models/directory/modelReader.js';
import { openModel } from '../../models/openModel.js';
import { HctReader } from '../../readers/hctReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { readSafetensors } from '../../readers/safetensors.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { SafetensorsWriter } from '../../sinks/safetensors.js';
import { bytesSource } from '../../sources/bytes.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { ENCODINGS } from '../../src/encodings/encodings.js';
import { HolostreamError } from '../../src/errors.js';
import type { SeekableSink } from '../../src/source.js';
import { holoFile } from '../helpers/holoFiles.js';
import { modelFileOf } from '../helpers/modelFiles.js';

/** Tensors without elements have dimensions that no memory could hold: what is written of them can be read, or is refused. */
const test = suite('shapes without elements');

const SHAPES: readonly (readonly number[])[] = [
  [0],
  [0, 0],
  [0, 7],
  [7, 0],
  [2 ** 32 - 1, 0],
  [2 ** 32, 0],
  [0, 2 ** 32],
  [2 ** 40, 0],
  [0, 2 ** 40],
  [2 ** 53 - 1, 0],
  [3, 0, 2 ** 24],
  [0, 3, 2 ** 24 - 1],
  [2 ** 24, 2, 0],
  [0, 2, 2 ** 40],
  [2 ** 30, 2 ** 30, 0],
  [5, 0, 3, 2 ** 33],
];

/** Writes a tensor of this shape, and reads its shape back. */
type RoundTrip = (shape: readonly number[]) => Promise<readonly number[]>;

async function safetensors(shape: readonly number[]): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = await SafetensorsWriter.open(sink, [{ name: 'w', dtype: 'F32', shape }]);
  await writer.write('w', new Uint8Array(0));
  await writer.close();
  return sink.bytes;
}

const hct =
  (version: 1 | 2): RoundTrip =>
  async (shape) => {
    const sink = memorySink();
    const writer = new HctWriter(sink, { dtype: 'F32', shape, version });
    await writer.close();
    return (await (await HctReader.open(bytesSource(sink.bytes))).readAll()).shape;
  };

const holoTensor =
  (encoding: HolographicEncoding, options: object): RoundTrip =>
  async (shape) => {
    const file = holoFile(encoding, new Float32Array(0), shape, options);
    return (await (await HoloTensorReader.open(bytesSource(file))).readAll()).shape;
  };

const ROUND_TRIPS: Readonly<Record<string, RoundTrip>> = {
  'HCT 1': hct(1),
  'HCT 2': hct(2),
  safetensors: async (shape) =>
    (await readSafetensors(bytesSource(await safetensors(shape)))).get('w')!.shape,
  'model file': async (shape) => {
    const model = await openModel(bytesSource(await modelFileOf(await safetensors(shape))));
    return (await model.load()).get('w')!.shape;
  },
  'model directory': async (shape) => {
    const files = new Map<string, ReturnType<typeof memorySink>>();
    const openFile = async (name: string): Promise<SeekableSink> => {
      const sink = memorySink();
      files.set(name, sink);
      return sink;
    };
    await encodeModel(bytesSource(await safetensors(shape)), openFile);
    const reader = await ModelReader.open((name) => bytesSource(files.get(name)!.bytes));
    return (await reader.read('w')).shape;
  },
  ...Object.fromEntries(
    (Object.keys(ENCODINGS) as HolographicEncoding[]).map((name) => [name, holoTensor(name, {})]),
  ),
  'spectral, ranked': holoTensor('spectral', { layout: 'ranked' }),
  'spectral, essential': holoTensor('spectral', { layout: 'essential' }),
  'Gaussian projection': holoTensor('random-projection', { matrix: 'gaussian' }),
  'low rank with a residual': holoTensor('low-rank', { residual: true }),
};

for (const [name, roundTrip] of Object.entries(ROUND_TRIPS)) {
  test(`${name}: what is written can be read`, async () => {
    let written = 0;
    for (const shape of SHAPES) {
      const result = await roundTrip(shape).catch((error: unknown) => {
        if (!(error instanceof HolostreamError)) throw error;
        assert.match(error.message, /^Cannot (write|encode|plan)/, `[${shape}]`);
        return undefined;
      });
      if (result === undefined) continue;
      written += 1;
      assert.equal([...result], [...shape]);
    }
    assert.ok(written >= 4, `${written} shapes`);
  });
}

test.run();
