import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeModelFile } from '../../../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../../../models/file/stagingStore.js';
import { openForeignModel } from '../../../models/inputs/foreign.js';
import type { ForeignModelOptions } from '../../../models/inputs/foreignModel.js';
import { openModel } from '../../../models/openModel.js';
import { readSafetensors } from '../../../readers/safetensors.js';
import { memorySink } from '../../../sinks/memory.js';
import { bytesSource } from '../../../sources/bytes.js';
import {
  FormatError,
  LimitError,
  SourceError,
  TruncatedError,
  UnsupportedError,
} from '../../../src/errors.js';
import type { RandomAccessSource } from '../../../src/source.js';
import { viewBytes } from '../../../src/tensor/tensor.js';
import { rejects } from '../../helpers/assertions.js';
import { fileServer } from '../../helpers/fileServer.js';
import { decodeFromModelFile } from '../../helpers/modelFiles.js';
import { externalTensor, graphOf, message, modelProto, nested, rawTensor } from '../../helpers/onnxWriter.js';

const test = suite('ONNX models');

const folder = fileURLToPath(new URL('../../fixtures/inputs/onnx', import.meta.url));
const fixture = (name: string) => new Uint8Array(readFileSync(join(folder, name)));

type Listed = readonly (readonly [name: string, shape: readonly number[], sha256: string])[];
const contents = JSON.parse(readFileSync(join(folder, 'contents.json'), 'utf8')) as Record<string, Listed>;

const all = async (source: RandomAccessSource) => source.read(0, source.size!);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What a file of ONNX becomes. */
async function split(bytes: Uint8Array, options: ForeignModelOptions = {}) {
  const model = await openForeignModel(bytesSource(bytes), options);
  const [weights, ...others] = model.files;
  const [graph] = model.beside;
  assert.is(others.length, 0);
  return {
    weightsName: weights!.name,
    graphName: graph!.name,
    weights: await all(weights!.source),
    graph: await all(graph!.source),
  };
}

async function hashesOf(weights: Uint8Array): Promise<string[]> {
  const tensors = await readSafetensors(bytesSource(weights));
  return Array.from(tensors.values(), ({ data }) => sha256(viewBytes(data))).sort();
}

test('sparse initializers and the constants of functions stay in the graph', async () => {
  const bytes = fixture('special.onnx');
  const { weights, graph } = await split(bytes);
  assert.equal([...(await readSafetensors(bytesSource(weights))).keys()], ['bias']);
  // But for the 2,048 bytes that have left it.
  const [before, after] = [bytes, graph].map((file) => Buffer.from(file).toString('latin1')) as [
    string,
    string,
  ];
  for (const kept of ['sparse', 'factors', 'Scale']) {
    assert.is(after.split(kept).length, before.split(kept).length, kept);
  }
  assert.ok(graph.length > bytes.length - 2048);
});

test('the graph of a remote model is copied by few requests: what is between short tensors is read with them', async () => {
  const tensors = Array.from({ length: 300 }, (_, i) => rawTensor(`w${i}`, [256], new Uint8Array(1024)));
  const bytes = modelProto(graphOf(tensors));
  const reads: number[] = [];
  const inner = bytesSource(bytes);
  const read: RandomAccessSource['read'] = (offset, length, options) => {
    reads.push(length);
    return inner.read(offset, length, options);
  };
  const { beside } = await openForeignModel({ ...inner, read });
  reads.length = 0;
  const graph: Uint8Array[] = [];
  for await (const chunk of beside[0]!.source.stream()) graph.push(chunk);
  assert.ok(reads.length <= 2, `${reads.length} reads`);
  const expected = (await split(bytes)).graph;
  assert.ok(Buffer.concat(graph).equals(expected));
  // Windows that follow each other, or do not.
  for (const [start, end] of [
    [5000, 5100],
    [expected.length - 7, expected.length],
    [0, 20],
  ] as const) {
    assert.equal(await beside[0]!.source.read(start, end - start), expected.slice(start, end));
  }
});

/** A node `Constant` whose tensor comes before what says so. */
function constantNode(output: string, tensor: Uint8Array): Uint8Array {
  return message([
    [
      5,
      message([
        [1, 'value'],
        [5, tensor],
        [20, 4],
      ]),
    ],
    [2, output],
    [4, 'Constant'],
  ]);
}

test('the weights of a remote model are found by few requests: small ones by windows, of large ones one each', async () => {
  const cases: [tensors: number, bytes: number, most: number][] = [
    [40, 200_000, 8],
    [6, 3_000_000, 6 + 2],
  ];
  for (const [count, length, most] of cases) {
    const tensors = Array.from({ length: count }, (_, i) =>
      rawTensor(`w${i}`, [length / 4], new Uint8Array(length)),
    );
    const models = {
      initializers: modelProto(graphOf(tensors)),
      constants: modelProto(message(tensors.map((tensor, i) => [1, constantNode(`c${i}`, tensor)] as const))),
    };
    for (const [what, bytes] of Object.entries(models)) {
      await using server = await fileServer({ 'm.onnx': bytes });
      const model = await openModel(`${server.url}m.onnx`);
      assert.is(model.tensors.length, count);
      assert.ok(server.requests.length <= most, `${server.requests.length} requests for ${count} ${what}`);
      await model.close();
    }
  }
});

for (const name of ['typed', 'external']) {
  const listed = contents[name]!;
  const openBeside = (file: string) => bytesSource(fixture(file));

  test(`${name}: every tensor of 1,024 bytes leaves the graph with the bytes that ONNX's own tools read`, async () => {
    const { weights, weightsName, graphName } = await split(fixture(`${name}.onnx`), {
      name: `${name}.onnx`,
      openBeside,
    });
    assert.equal([weightsName, graphName], [`${name}.safetensors`, `${name}.onnx`]);
    const tensors = await readSafetensors(bytesSource(weights));
    assert.equal(await hashesOf(weights), listed.map(([, , hash]) => hash).sort());
    for (const [tensor, shape, hash] of listed) {
      // Both branches of the graph call theirs the same.
      const found = [tensors.get(tensor)!, tensors.get(`${tensor}@2`)].find(
        (one) => one !== undefined && sha256(viewBytes(one.data)) === hash,
      );
      assert.equal(found?.shape, shape, tensor);
    }
  });

  test(`${name}: the graph refers to the weights, and is split into the same once more`, async () => {
    const options = { name: `${name}.onnx`, openBeside };
    const first = await split(fixture(`${name}.onnx`), options);
    const again = await split(first.graph, {
      name: `${name}.onnx`,
      openBeside: (file) => {
        assert.is(file, `${name}.safetensors`);
        return bytesSource(first.weights);
      },
    });
    assert.equal(await hashesOf(again.weights), await hashesOf(first.weights));
    assert.equal(again.graph.length, first.graph.length);
  });

  test(`${name}: the model file decodes to the file to which the graph refers`, async () => {
    const model = await openForeignModel(bytesSource(fixture(`${name}.onnx`)), {
      name: 'm.onnx',
      openBeside,
    });
    const sink = memorySink();
    await encodeModelFile(model.files, sink, memoryStagingStore());
    const { files } = await decodeFromModelFile(sink.bytes);
    assert.equal(files, { 'm.safetensors': await all(model.files[0]!.source) });
    await model.close();
  });
}

test('types of elements are those of safetensors, and each begins at a multiple of its size', async () => {
  const { weights } = await split(fixture('typed.onnx'));
  const tensors = await readSafetensors(bytesSource(weights));
  const types = [
    'f32',
    'u8',
    'i8',
    'u16',
    'i16',
    'i32',
    'i64',
    'bool',
    'f16',
    'f64',
    'u32',
    'u64',
    'c64',
    'bf16',
  ];
  for (const name of types) {
    const { dtype, data } = tensors.get(name)!;
    assert.is(dtype, name.toUpperCase());
    const size = Number(/\d+$/.exec(name)?.[0] ?? 8) / 8;
    assert.is((viewBytes(data).byteOffset - weights.byteOffset) % Math.min(size, 8), 0, name);
  }
});

test('tensors that share a place in another file are one', async () => {
  const shared = (name: string) =>
    externalTensor({ name, dtype: 'F32', shape: [256], offset: 8, byteLength: 1024 }, 'w.bin');
  const file = modelProto(graphOf([shared('a'), shared('b')]));
  const { weights } = await split(file, { openBeside: () => bytesSource(new Uint8Array(2000).fill(7)) });
  const tensors = await readSafetensors(bytesSource(weights));
  assert.equal([...tensors.keys()], ['a']);
});

test('files beside the model are opened once each, and closed', async () => {
  let [opened, closed] = [0, 0];
  const place = (name: string, offset: number) =>
    externalTensor({ name, dtype: 'F32', shape: [256], offset, byteLength: 1024 }, 'w.bin');
  const close = async () => {
    closed += 1;
  };
  const model = await openForeignModel(bytesSource(modelProto(graphOf([place('a', 0), place('b', 1024)]))), {
    openBeside: () => {
      opened += 1;
      return { ...bytesSource(new Uint8Array(2048)), close };
    },
  });
  await model.close();
  assert.equal([opened, closed], [1, 1]);
});

type Refused = readonly [
  what: string,
  bytes: Uint8Array,
  kind: new (...args: never[]) => Error,
  message: RegExp,
];

const REFUSED: readonly Refused[] = [
  ...['../../etc/passwd', '/etc/passwd', 'a/b', '..', 'C:x', 'a\\b', ''].map(
    (location) =>
      [
        `external data in ${JSON.stringify(location)}`,
        modelProto(
          graphOf([
            externalTensor({ name: 'w', dtype: 'F32', shape: [256], offset: 0, byteLength: 1024 }, location),
          ]),
        ),
        FormatError,
        /a tensor is in a file that is not beside it/,
      ] as const,
  ),
  [
    'external data beyond the end of its file',
    modelProto(
      graphOf([
        externalTensor({ name: 'w', dtype: 'F32', shape: [256], offset: 9000, byteLength: 1024 }, 'w.bin'),
      ]),
    ),
    TruncatedError,
    /the file of a tensor ends before it \(tensor w\)/,
  ],
  [
    'external data of another length',
    modelProto(
      graphOf([
        externalTensor({ name: 'w', dtype: 'F32', shape: [256], offset: 0, byteLength: 1000 }, 'w.bin'),
      ]),
    ),
    FormatError,
    /the bytes of a tensor are not those of its type and shape \(w\)/,
  ],
  [
    'raw data of another length',
    modelProto(graphOf([rawTensor('w', [300], new Uint8Array(1024))])),
    FormatError,
    /the bytes of a tensor are not those of its type and shape \(w\)/,
  ],
  [
    'a dimension of 2^60',
    modelProto(graphOf([rawTensor('w', [2 ** 60], new Uint8Array(1024))])),
    FormatError,
    /a dimension of a tensor is negative or too large/,
  ],
  [
    'a tensor of 2^52 bytes',
    modelProto(graphOf([rawTensor('w', [2 ** 50], new Uint8Array(1024))])),
    LimitError,
    /limits\.tensorBytes/,
  ],
  [
    'a thousand dimensions',
    modelProto(graphOf([rawTensor('w', Array<number>(1000).fill(1), new Uint8Array(4))])),
    LimitError,
    /limits\.rank/,
  ],
  ['a hundred graphs in each other', modelProto(nested(100)), LimitError, /its graphs are nested too deeply/],
  [
    'a message longer than the file',
    Uint8Array.from([8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]),
    FormatError,
    /field 7 is invalid, or longer than what it is in/,
  ],
  [
    'a varint of eleven bytes',
    Uint8Array.from([8, 8, 0x3a, ...Array<number>(11).fill(0x80), 1]),
    FormatError,
    /field 7 is invalid/,
  ],
  ['a group', Uint8Array.from([8, 8, 0x3a, 1, 0x0b]), FormatError, /field 1 is invalid/],
  ['a field without a number', Uint8Array.from([8, 8, 0x3a, 2, 0, 0]), FormatError, /field 0 is invalid/],
  [
    'a name of 70,000 bytes',
    modelProto(graphOf([rawTensor('w'.repeat(70_000), [256], new Uint8Array(1024))])),
    LimitError,
    /a name is too long/,
  ],
  [
    'a name that is not UTF-8',
    modelProto(
      graphOf([
        message([
          [1, 256],
          [2, 1],
          [8, Uint8Array.of(0xff)],
          [9, new Uint8Array(1024)],
        ]),
      ]),
    ),
    FormatError,
    /it is not UTF-8/,
  ],
  [
    'dimensions without a product',
    modelProto(graphOf([rawTensor('a', [...Array<number>(22).fill(2 ** 52), 0], new Uint8Array(1024))])),
    FormatError,
    /a tensor is too large/,
  ],
  [
    'a safetensors file',
    fixture('external.bin').slice(0, 8).fill(0),
    FormatError,
    /it is neither ONNX, GGUF/,
  ],
];

test('tensors of one name are numbered, and keep clear of those that have such names', async () => {
  const names = ['a@3', 'a', 'a', 'a', 'a@2', 'a'];
  const file = modelProto(graphOf(names.map((name) => rawTensor(name, [256], new Uint8Array(1024)))));
  const tensors = await readSafetensors(bytesSource((await split(file)).weights));
  assert.equal([...tensors.keys()], ['a@3', 'a', 'a@2', 'a@4', 'a@2@2', 'a@5']);
});

for (const [what, bytes, kind, message] of REFUSED) {
  test(`refused: ${what}`, async () => {
    const openBeside = () => bytesSource(new Uint8Array(1024));
    await rejects(openForeignModel(bytesSource(bytes), { openBeside }), kind, message);
  });
}

test('weights in another file need openBeside, and one that is there', async () => {
  const bytes = fixture('external.onnx');
  await rejects(openForeignModel(bytesSource(bytes)), UnsupportedError, /option openBeside/);
  const openBeside = (name: string): RandomAccessSource => {
    throw new SourceError('Cannot open the file: there is none', { name });
  };
  await rejects(openForeignModel(bytesSource(bytes), { openBeside }), SourceError, /external\.bin/);
});

test('elements that are fields of numbers are decoded once for reads that follow in them, within limits.tensorBytes', async () => {
  const numbers = Uint8Array.from({ length: 256 }, (_, i) => i % 100);
  const fields = [
    [1, 256],
    [2, 7],
    [7, numbers],
    [8, 'a'],
    [12, 'what it is for '.repeat(200)],
  ] as const;
  const bytes = modelProto(graphOf([message(fields)]));
  await rejects(
    openForeignModel(bytesSource(bytes), { limits: { tensorBytes: 2500 } }),
    LimitError,
    /limits\.tensorBytes/,
  );
  const origin = bytesSource(bytes);
  let reads = 0;
  const read: RandomAccessSource['read'] = (offset, length, options) => {
    reads += 1;
    return origin.read(offset, length, options);
  };
  const { files } = await openForeignModel({ ...origin, read });
  const { source } = files[0]!;
  reads = 0;
  for (let i = 0; i < 256; i++) {
    const [low] = await source.read(source.size! - 8 * (256 - i), 8);
    assert.is(low, i % 100);
  }
  assert.is(reads, 1);
});

test('a model that ends anywhere is refused, or has the tensors before its end', async () => {
  const bytes = fixture('typed.onnx');
  for (let end = 3; end < bytes.length; end += 997) {
    await rejects(openForeignModel(bytesSource(bytes.subarray(0, end))), FormatError, /./);
  }
});

test('an aborted signal ends it', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await rejects(openForeignModel(bytesSource(fixture('typed.onnx')), { signal }), Error, /enough/);
});

test.run();
