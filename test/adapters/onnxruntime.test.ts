import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Feeds,
  type GpuBuffer,
  type LoadedSession,
  loadFeeds,
  loadSessions,
} from '../../adapters/onnxruntime.js';
import type { Model } from '../../models/model.js';
import { openModel } from '../../models/openModel.js';
import { NpyEncoderStream } from '../../operators/npy.js';
import { bytesSource } from '../../sources/bytes.js';
import { ArgumentError, UnsupportedError } from '../../src/errors.js';
import { type TensorData, viewBytes } from '../../src/tensor/tensor.js';
import { afterEach } from '../helpers/afterEach.js';
import { rejects, throws } from '../helpers/assertions.js';
import { type FileServer, fileServer } from '../helpers/fileServer.js';
import { gatedSource } from '../helpers/gatedSource.js';
import { encodeToModelFile, modelFileOf } from '../helpers/modelFiles.js';
import { modelOf, type TestTensor } from '../helpers/models.js';
import { tick } from '../helpers/streams.js';
import { trainedLike } from '../helpers/trained.js';

const test = suite('weights for ONNX Runtime (with stand-ins; test/runtimes/onnxruntime has the real ones)');

const TENSORS: readonly TestTensor[] = [
  { name: 'weight', dtype: 'F32', shape: [200, 300] },
  { name: 'half', dtype: 'F16', shape: [3] },
  { name: '__proto__', dtype: 'I64', shape: [2] },
];
const WEIGHT = trainedLike([200, 300]);
const original = modelOf(TENSORS, undefined, ({ name }, byteLength) =>
  name === 'weight' ? viewBytes(WEIGHT) : new Uint8Array(byteLength).fill(1),
);

/** As the package's class of tensors: it keeps the memory that it is given. */
class Tensor {
  readonly type: string;
  readonly data: TensorData | GpuBuffer;
  readonly dims: readonly number[];

  constructor(type: string, data: TensorData | GpuBuffer, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }

  /** Of a tensor in a buffer. */
  dispose(): void {}

  static fromGpuBuffer(
    buffer: GpuBuffer,
    options: { dataType: string; dims: readonly number[]; dispose: () => void },
  ): Tensor {
    return Object.assign(new Tensor(options.dataType, buffer, options.dims), { dispose: options.dispose });
  }
}

const ort = { Tensor };
const session = { inputNames: ['images', ...TENSORS.map(({ name }) => name)] };

let model: Model;
let file: Uint8Array;
let server: FileServer;

test.before(async () => {
  file = await modelFileOf(original);
});

test.before.each(async () => {
  server = await fileServer({ 'model.holo.safetensors': file });
  model = await openModel(`${server.url}model.holo.safetensors`);
});

afterEach(test, async () => {
  await model.close();
  await server[Symbol.asyncDispose]();
});

/** Half of a model file brings something of every tensor. The rest comes once a consumer has had a step. */
const half = (bytes: Uint8Array) => gatedSource(bytes, bytes.length >> 1);

test('the same tensors each time, with better numbers at each step; at the end the model', async () => {
  const source = half(file);
  await using model = await openModel(source);
  const steps: {
    readonly weights: Feeds<typeof ort>;
    readonly copy: Float32Array;
    readonly before: number;
  }[] = [];
  for await (const weights of loadFeeds(model, { ort, session, minGain: 0 })) {
    const { data } = weights.feeds.weight!;
    const copy = (data as Float32Array).slice();
    steps.push({ weights, copy, before: weights.quality });
    source.open();
    // The load goes on meanwhile; what the consumer has does not change.
    await tick(20);
    assert.equal(data, copy);
  }
  assert.ok(steps.length > 1, `${steps.length}`);
  const [first, last] = [steps[0]!, steps.at(-1)!];
  assert.ok(first.before < 1 && last.weights.quality === 1);
  assert.equal(
    steps.map(({ weights }) => weights.complete),
    steps.map((_, i) => i === steps.length - 1),
  );
  for (const [name, tensor] of Object.entries(first.weights.feeds)) {
    assert.is(tensor, last.weights.feeds[name]);
  }
  assert.not.equal(first.copy, WEIGHT);
  assert.equal(last.copy, WEIGHT);
  assert.equal(Object.keys(last.weights.feeds).sort(), ['__proto__', 'half', 'weight']);
});

test('the element types are those of the inputs, where the session says them', async () => {
  const typesOf = async (types: Record<string, string>, as?: 'F32' | 'F16' | 'source') => {
    const inputMetadata = Object.entries(types).map(([name, type]) => ({ name, type, isTensor: true }));
    let found: unknown;
    for await (const { feeds } of loadFeeds(model, { ort, session: { ...session, inputMetadata }, as })) {
      found = Object.fromEntries(
        Object.entries(feeds).map(([name, { type, data, dims }]) => [
          name,
          [type, (data as TensorData).constructor.name, dims],
        ]),
      );
    }
    return found as Record<string, unknown>;
  };
  const own = await typesOf({ half: 'float16', weight: 'float32' });
  assert.equal(own.half, ['float16', 'Uint16Array', [3]]);
  assert.equal(own.weight, ['float32', 'Float32Array', [200, 300]]);
  assert.equal((await typesOf({ weight: 'float16' })).weight, ['float16', 'Uint16Array', [200, 300]]);
  assert.equal((await typesOf({})).half, ['float32', 'Float32Array', [3]]);
  const stored = await typesOf({}, 'source');
  assert.equal(stored.half, ['float16', 'Uint16Array', [3]]);
  assert.equal(Object.getOwnPropertyDescriptor(stored, '__proto__')?.value, ['int64', 'BigInt64Array', [2]]);
  await rejects(
    typesOf({ weight: 'int64' }),
    UnsupportedError,
    /Cannot feed the tensor: the input has another element type.*expected int64, got float32/,
  );
});

test('tensors that are no inputs of the graph are an error that names them', () => {
  const graph = { inputNames: ['images', 'weight'] };
  throws(
    () => loadFeeds(model, { ort, session: graph }),
    ArgumentError,
    /initializers cannot be replaced.*expected \[images, weight\], got \[half, __proto__\]/,
  );
});

test('inputName: inputs of other names, and tensors that the graph does not take', async () => {
  const graph = { inputNames: ['w'] };
  const inputName = (name: string) => (name === 'weight' ? 'w' : undefined);
  const all: Feeds[] = [];
  for await (const one of loadFeeds(model, { ort, session: graph, inputName })) all.push(one);
  const { feeds, quality } = all.at(-1)!;
  assert.equal(Object.keys(feeds), ['w']);
  assert.equal((feeds.w as Tensor).data, WEIGHT);
  assert.is(quality, 1);
});

test('device: buffers that are written at each step, in whole words', async () => {
  const written: { readonly buffer: object; readonly bytes: Uint8Array }[] = [];
  const sizes: number[] = [];
  const device = {
    createBuffer({ size, usage }: { size: number; usage: number }) {
      sizes.push(size);
      assert.is(usage, 0x8c);
      return { size, destroy() {} };
    },
    queue: {
      writeBuffer(buffer: GpuBuffer, offset: number, data: Uint8Array) {
        assert.is(offset, 0);
        written.push({ buffer, bytes: data.slice() });
      },
    },
  };
  let last: Feeds<typeof ort> | undefined;
  let steps = 0;
  for await (last of loadFeeds(model, { ort, session, device, as: 'source', minGain: 0 })) steps += 1;
  assert.equal(
    sizes.sort((a, b) => a - b),
    [16, 16, 4 * WEIGHT.length],
  );
  const weight = written.filter(({ buffer }) => buffer === last!.feeds.weight!.data);
  assert.is(weight.length, steps);
  assert.equal(new Float32Array(weight.at(-1)!.bytes.buffer), WEIGHT);
  const half = written.filter(({ buffer }) => buffer === last!.feeds.half!.data);
  // What has not improved is not written again.
  assert.equal(
    half.map(({ bytes }) => [...bytes]),
    [[...new Uint8Array(6).fill(1), ...new Uint8Array(10)]],
  );
});

test('device: buffers that nobody was given are destroyed', async () => {
  const made: object[] = [];
  const destroyed: object[] = [];
  const deviceOf = (writes: number) => ({
    createBuffer() {
      const buffer = { destroy: () => destroyed.push(buffer) };
      made.push(buffer);
      return buffer;
    },
    queue: {
      writeBuffer() {
        if (writes-- === 0) throw new Error('lost');
      },
    },
  });
  const failing = (async () => {
    for await (const _ of loadFeeds(model, { ort, session, device: deviceOf(2), as: 'source' }));
  })();
  await rejects(failing, Error, /^lost$/);
  assert.is(made.length, 3);
  assert.equal(destroyed, made);
  for await (const _ of loadFeeds(model, { ort, session, device: deviceOf(1000), as: 'source' })) break;
  assert.equal([made.length, destroyed.length], [6, 3]);
});

test('a consumer that leaves ends the load; an abort, and a model that is closed, are errors of the iteration', async () => {
  for await (const { complete } of loadFeeds(model, { ort, session })) {
    assert.not(complete);
    break;
  }
  assert.ok(model.quality < 1);
  const stop = new AbortController();
  const aborted = (async () => {
    for await (const _ of loadFeeds(model, { ort, session, signal: stop.signal, minInterval: 1e6 })) {
      stop.abort(new Error('enough'));
    }
  })();
  await rejects(aborted, Error, /^enough$/);
  await model.close();
  const closed = (async () => {
    for await (const _ of loadFeeds(model, { ort, session }));
  })();
  await rejects(closed, ArgumentError, /the model is closed/);
});

test('a load that ends before something of each tensor has come is an error that names one', async () => {
  const early = (async () => {
    for await (const _ of loadFeeds(model, { ort, session, deadline: 0 }));
  })();
  await rejects(early, ArgumentError, /Cannot give all tensors: the load ended/);
});

test('sessions: external data of all files; one is released when the next has been made', async () => {
  const halves = {
    'a.safetensors': modelOf([{ name: 'w', dtype: 'F32', shape: [200, 300] }], undefined, () =>
      viewBytes(WEIGHT),
    ),
    'b.safetensors': modelOf([{ name: 'b', dtype: 'BF16', shape: [30] }]),
  };
  const source = half(await encodeToModelFile(halves));
  const sharded = await openModel(source);
  const log: string[] = [];
  const data: Record<string, Uint8Array>[] = [];
  class InferenceSession {
    static made = 0;
    readonly number = ++InferenceSession.made;
    static async create(graph: string | Uint8Array, options: object = {}): Promise<InferenceSession> {
      const { externalData, ...others } = options as { externalData: { path: string; data: Uint8Array }[] };
      assert.equal([graph, others], ['model.onnx', { logId: 'x' }]);
      data.push(Object.fromEntries(externalData.map((one) => [one.path, one.data.slice()])));
      const session = new InferenceSession();
      log.push(`create ${session.number}`);
      return session;
    }
    async release(): Promise<void> {
      log.push(`release ${this.number}`);
    }
  }
  const sessions: LoadedSession<{ InferenceSession: typeof InferenceSession }>[] = [];
  const options = {
    ort: { InferenceSession },
    graph: 'model.onnx',
    sessionOptions: { logId: 'x' },
    minGain: 0,
  };
  for await (const one of loadSessions(sharded, options)) {
    sessions.push(one);
    source.open();
    await tick(20);
  }
  await sharded.close();
  assert.ok(sessions.length > 1);
  const expected = sessions.flatMap((_, i) => [`create ${i + 1}`, ...(i > 0 ? [`release ${i}`] : [])]);
  assert.equal(log, expected);
  assert.is(sessions.at(-1)!.session.number, sessions.length);
  assert.ok(sessions[0]!.quality < 1 && sessions.at(-1)!.complete);
  assert.not.equal(data[0], halves);
  assert.equal(data.at(-1), halves);
});

test('sessions: where one cannot be released, the next one is', async () => {
  const log: string[] = [];
  let made = 0;
  const create = async () => {
    const number = ++made;
    return {
      async release() {
        log.push(`release ${number}`);
        if (number === 1) throw new Error('in use');
      },
    };
  };
  const source = half(file);
  await using model = await openModel(source);
  const failing = (async () => {
    const options = { ort: { InferenceSession: { create } }, graph: 'model.onnx', minGain: 0 };
    for await (const _ of loadSessions(model, options)) source.open();
  })();
  await rejects(failing, Error, /^in use$/);
  assert.equal(log, ['release 1', 'release 2']);
});

test('sessions: of a NumPy file, an error', async () => {
  const plain = await openModel(
    bytesSource(Uint8Array.of(1))
      .stream()
      .pipeThrough(new NpyEncoderStream('U8', [1])),
  );
  const create = async () => ({ release: async () => {} });
  throws(
    () => loadSessions(plain, { ort: { InferenceSession: { create } }, graph: 'model.onnx' }),
    UnsupportedError,
    /Cannot make external data/,
  );
  await plain.close();
});

test.run();
