import { lastValueFrom } from 'rxjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeModelFile } from '../../models/file/decodeModelFile.js';
import { openModel } from '../../models/openModel.js';
import { fromReadableStream } from '../../operators/fromReadableStream.js';
import { HctDecoderStream, HctParserStream, HctVerificationStream } from '../../operators/hct.js';
import {
  decodeFragments,
  FragmentDecoderStream,
  ReconstructionStream,
  reconstruct,
} from '../../operators/holotensor.js';
import { HctReader } from '../../readers/hctReader.js';
import { HoloTensorReader } from '../../readers/holotensorReader.js';
import { readSafetensors } from '../../readers/safetensors.js';
import { HctWriter } from '../../sinks/hct.js';
import { memorySink } from '../../sinks/memory.js';
import { collectTensor } from '../../sinks/tensor.js';
import { bytesSource } from '../../sources/bytes.js';
import { streamSource } from '../../sources/stream.js';
import { finish, nextTask, type Steps } from '../../src/async/steps.js';
import { loadDecodings } from '../../src/encodings/decodings.js';
import type { HolographicEncoding } from '../../src/encodings/encoding.js';
import { HoloTensorDecoder } from '../../src/holotensor/decoder.js';
import { HoloTensorEncoder } from '../../src/holotensor/encoder.js';
import { packHoloTensor } from '../../src/holotensor/pack.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { loadKernels } from '../../src/kernels/loadKernels.js';
import { portableKernels } from '../../src/kernels/portableKernels.js';
import { fromFloat32 } from '../../src/tensor/numbers.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { toFloat32 } from '../../src/tensor/toFloat32.js';
import { assertClose, rejects } from '../helpers/assertions.js';
import { concatBytes } from '../helpers/bytes.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { modelOf } from '../helpers/models.js';
import { noise } from '../helpers/random.js';
import { safetensorsOf } from '../helpers/safetensors.js';
import { chunked, collect } from '../helpers/streams.js';

/** Long work is done in steps: others have their turn between them, and an abort ends it. */
const test = suite('decoding in steps');

await loadDecodings();
const wasm = await loadKernels();

interface Case {
  readonly encoding: HolographicEncoding;
  readonly options?: object;
  readonly shape: readonly number[];
}

const CASES: Readonly<Record<string, Case>> = {
  embedded: { encoding: 'embedded', shape: [1100, 1000] },
  spectral: { encoding: 'spectral', shape: [1024, 1031] },
  'spectral, one column': { encoding: 'spectral', options: { layout: 'ranked' }, shape: [5000, 1] },
  'random projection': { encoding: 'random-projection', shape: [1030, 1024] },
  'Gaussian projection': {
    encoding: 'random-projection',
    options: { matrix: 'gaussian', rowsPerFragment: 1001 },
    shape: [35, 40],
  },
  'low rank': { encoding: 'low-rank', options: { rank: 64 }, shape: [300, 3000] },
};

const files = new Map(
  Object.entries(CASES).map(([name, { encoding, options, shape }]) => {
    const data = noise(shape.reduce((product, dimension) => product * dimension, 1));
    const encoded = new HoloTensorEncoder(encoding, { fragments: 2, kernels: wasm, ...options }).encode(
      data,
      shape,
    );
    const file = concatBytes(packHoloTensor(encoded.header, encoded.fragments, { kernels: wasm }));
    return [name, { ...encoded, file }];
  }),
);

/** Of {@link slowly}: it never goes back. */
let time = 0;

/** Runs work while every look at the clock finds that 30 ms have passed, so that every step is a long one. */
async function slowly<T>(work: () => Promise<T>): Promise<T> {
  const { now } = performance;
  time = Math.max(time, now.call(performance));
  performance.now = () => {
    time += 30;
    return time;
  };
  try {
    return await work();
  } finally {
    performance.now = now;
  }
}

/**
 * Aborts in the next task of those that work asks for, some only once: an immediate may come after that. Work that lets no other
 * task in never hears of it.
 */
function soonAborted(reason: unknown): AbortSignal {
  const controller = new AbortController();
  void nextTask().then(() => controller.abort(reason));
  return controller.signal;
}

for (const [name, { file, header, fragments }] of files) {
  for (const [implementation, kernels] of Object.entries({ wasm, portable: portableKernels as Kernels })) {
    test(`${name}, ${implementation}: work that is left goes on where it was, and gives the same`, () => {
      const whole = new HoloTensorDecoder(header, { kernels });
      for (const fragment of fragments) whole.addFragment(fragment);
      const expected = whole.reconstruct();
      const decoder = new HoloTensorDecoder(header, { kernels });
      let steps = 0;
      for (const fragment of fragments) {
        // Each step is left once; another fragment may come before the rest.
        for (let left = true; left; steps++) left = decoder.adding(fragment).next().done !== true;
        assert.is(decoder.addFragment(fragment), false);
      }
      assert.is(decoder.complete, true);
      const out = new Float32Array(decoder.elements).fill(Number.NaN);
      const reconstructing: Steps<Float32Array> = decoder.reconstructing(out);
      while (reconstructing.next().done !== true) steps += 1;
      // A transform of one row is one step.
      assert.ok(steps > fragments.length || header.shape.includes(1), `${steps} steps`);
      assertClose(out, expected, 1e-6);
    });
  }

  test(`${name}: an abort ends every way to decode, also where all bytes are there`, async () => {
    const reason = new Error('enough');
    const reader = await HoloTensorReader.open(bytesSource(file));
    const ways: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => reader.readAll({ signal }),
      (signal) => reader.readAll({ signal, dtype: 'source' }),
      (signal) => reader.readFragments([0, 1], { signal }),
      (signal) => reader.readToQuality(1, { signal }),
      (signal) => reader.readInto(new Uint8Array(8), 4, { signal }),
    ];
    for (const way of ways) {
      const outcome = await slowly(() => way(soonAborted(reason)).catch((error: unknown) => error));
      assert.is(outcome, reason);
    }
    const { data } = await slowly(() => reader.readAll());
    assert.equal(data, (await reader.readAll()).data);
  });

  test(`${name}: streams and operators give the same in steps, and end when they are cancelled`, async () => {
    const decoder = new HoloTensorDecoder(header);
    for (const fragment of fragments) decoder.addFragment(fragment);
    const expected = decoder.reconstruct();
    const tensors = () =>
      chunked(file, 2 ** 16)
        .pipeThrough(new FragmentDecoderStream())
        .pipeThrough(new ReconstructionStream());
    await slowly(async () => {
      const last = (await collect(tensors())).at(-1)!;
      assert.ok(last.complete);
      assertClose(last.data as Float32Array, expected, 1e-6);
      const observed = fromReadableStream(chunked(file, 2 ** 16)).pipe(decodeFragments(), reconstruct());
      assertClose((await lastValueFrom(observed)).data as Float32Array, expected, 1e-6);
      const stream = tensors();
      const reader = stream.getReader();
      const reading = reader.read();
      await new Promise(setImmediate);
      await reader.cancel();
      await reading.catch(() => {});
    });
  });
}

/** Chunks of these lengths; the last length repeats. */
function* cut(bytes: Uint8Array, lengths: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + lengths[Math.min(i, lengths.length - 1)]!;
    yield bytes.subarray(at, end);
    at = end;
  }
}

test('HCT: an abort ends the decoding of many blocks', async () => {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'F32', shape: [100, 1000] });
  await writer.write(viewBytes(noise(100_000)));
  await writer.close();
  const reader = await HctReader.open(bytesSource(sink.bytes));
  const reason = new Error('enough');
  const ways: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => reader.readAll({ signal }),
    (signal) => reader.readRows(10, 90, { signal }),
    (signal) => collectTensor(sink.bytes, { signal }),
  ];
  // The first chunk has the header, or a part of it; the others are large or small.
  for (const cuts of [[2 ** 15], [2 ** 17], [10, 2 ** 30], [1000]]) {
    const chunks = [...cut(sink.bytes, cuts)];
    ways.push((signal) => collectTensor(chunks, { signal }));
    ways.push((signal) =>
      streamSource(chunks)
        .stream()
        .pipeThrough(new HctDecoderStream())
        .pipeTo(new WritableStream(), { signal }),
    );
    ways.push((signal) =>
      streamSource(chunks)
        .stream()
        .pipeThrough(new HctParserStream())
        .pipeThrough(new HctVerificationStream())
        .pipeTo(new WritableStream(), { signal }),
    );
  }
  for (const [i, way] of ways.entries()) {
    const outcome = await slowly(() => way(soonAborted(reason)).catch((error: unknown) => error));
    assert.is(outcome, reason, `way ${i}`);
    await slowly(() => way(new AbortController().signal));
  }
});

test('models: an abort ends a load while it decodes; the next load goes on, and gives the same', async () => {
  const shape = [1100, 1000];
  const data = noise(1_100_000);
  const front = safetensorsOf({
    w: { dtype: 'F32', shape, data_offsets: [0, data.byteLength] },
  });
  for (const encoding of ['embedded', 'low-rank'] as const) {
    const encode = encoding === 'embedded' ? { encoding } : { encoding, rank: 3 };
    const file = await modelFileOf(concatBytes([front, viewBytes(data)]), { encode });
    const expected = (await (await openModel(bytesSource(file))).load()).get('w')!.data;
    const model = await openModel(bytesSource(file));
    const reason = new Error('enough');
    let aborted = 0;
    await slowly(async () => {
      for (let turn = 1; turn < 20; turn++) {
        const controller = new AbortController();
        const wait = (left: number) => {
          if (left === 0) controller.abort(reason);
          else setImmediate(wait, left - 1);
        };
        wait(turn);
        const outcome = await model.load({ signal: controller.signal }).catch((error: unknown) => error);
        if (outcome === reason) aborted += 1;
      }
    });
    assert.ok(aborted > 0, `${aborted} loads aborted`);
    assertClose((await model.load()).get('w')!.data, expected, 1e-6);
    await model.close();
    const decoding = slowly(() =>
      decodeModelFile(bytesSource(file), async () => memorySink(), { signal: soonAborted(reason) }),
    );
    await rejects(decoding, Error, /enough/);
  }
});

test('models: an abort ends the conversion of a large tensor; in steps, its numbers are the same', async () => {
  const elements = 2 ** 21 + 3;
  for (const dtype of ['BF16', 'F16', 'F64', 'F8_E4M3'] as const) {
    const bytes = modelOf([{ name: 'w', dtype, shape: [elements] }]);
    const model = await openModel(bytesSource(bytes));
    const plain = (await readSafetensors(bytes)).get('w')!;
    const reason = new Error('enough');
    await model.load({ as: 'source' });
    for (const as of ['F32', 'BF16'] as const) {
      if (as === dtype) continue;
      const loading = slowly(() => model.load({ as, signal: soonAborted(reason) }));
      assert.is(await loading.catch((error: unknown) => error), reason, `${dtype} as ${as}`);
      const { data } = (await model.load({ as })).get('w')!;
      const expected = fromFloat32(as, toFloat32(plain));
      assert.ok(Buffer.from(viewBytes(data)).equals(viewBytes(expected)), `${dtype} as ${as}`);
    }
    await model.close();
  }
});

test('all steps at once give the result', () => {
  function* three(): Steps<string> {
    yield;
    yield;
    return 'done';
  }
  assert.is(finish(three()), 'done');
});

test.run();
