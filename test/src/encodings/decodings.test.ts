import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DECODINGS, loadDecodings, loadedDecoding } from '../../../src/encodings/decodings.js';
import { ENCODING_CODES, type HolographicEncoding } from '../../../src/encodings/encoding.js';
import { ENCODINGS } from '../../../src/encodings/encodings.js';
import { ArgumentError } from '../../../src/errors.js';
import { rejects } from '../../helpers/assertions.js';
import { runCode } from '../../helpers/runCode.js';

const test = suite('decodings');

const NAMES = Object.keys(ENCODING_CODES) as HolographicEncoding[];

test('every encoding has its line in each table', () => {
  assert.equal(Object.keys(DECODINGS).sort(), [...NAMES].sort());
  assert.equal(Object.keys(ENCODINGS).sort(), [...NAMES].sort());
});

test('a decoder has the kernels that its line says', async () => {
  await loadDecodings();
  for (const name of NAMES) {
    const decoding = await DECODINGS[name].load();
    assert.is(decoding.name, name);
    assert.is(decoding.createDecoder, ENCODINGS[name].createDecoder);
    assert.is(loadedDecoding(name)!.createDecoder, decoding.createDecoder);
    assert.is(loadedDecoding(name)!.kernels.implementation, 'wasm');
  }
});

test('no such encoding', async () => {
  await rejects(
    loadDecodings(['fractal' as 'spectral']),
    ArgumentError,
    /^Cannot use this value of names: .*fractal/,
  );
});

/** What a process prints that has loaded nothing yet. */
function printed(code: string): Promise<unknown> {
  const imports = `
    import { HoloTensorDecoder } from './src/holotensor/decoder.ts';
    import { HoloTensorEncoder } from './src/holotensor/encoder.ts';
    import { loadDecodings } from './src/encodings/decodings.ts';
    const { header, fragments } = new HoloTensorEncoder('low-rank').encode(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const attempt = () => {
      try {
        return new HoloTensorDecoder(header);
      } catch (error) {
        return error;
      }
    };`;
  return runCode(`${imports}\n${code}`);
}

test('a synchronous decoder says what must be loaded first, and works from then on', async () => {
  const seen = await printed(`
    const error = attempt();
    await loadDecodings(['spectral']);
    const other = attempt();
    await loadDecodings(['low-rank']);
    const decoder = attempt();
    fragments.forEach((fragment) => decoder.addFragment(fragment));
    console.log(JSON.stringify([error.name, error.message, other.name, Array.from(decoder.reconstruct(), Math.round)]));`);
  assert.equal(seen, [
    'UnsupportedError',
    "Cannot decode a tensor yet: call await loadDecodings(['low-rank']) first",
    'UnsupportedError',
    [1, 2, 3, 4],
  ]);
});

test.run();
