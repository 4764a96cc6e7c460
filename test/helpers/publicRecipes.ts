import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFetch } from '../../adapters/fetch.js';
import { loadFeeds, loadSessions } from '../../adapters/onnxruntime.js';
import { serveModels } from '../../adapters/serviceWorker.js';
import { ioHandler, loadWeights } from '../../adapters/tfjs.js';
import * as bulk from '../../bulk/index.js';
import * as formats from '../../formats.js';
import * as main from '../../index.js';
import * as node from '../../node.js';
import * as operators from '../../operators/index.js';
import * as sinks from '../../sinks/index.js';
import * as sources from '../../sources/index.js';
import { UnsupportedError } from '../../src/errors.js';
import { temporaryFolder } from './cli.js';
import { modelFileOf } from './modelFiles.js';
import { modelOf } from './models.js';
import { graphOf, modelProto, rawTensor } from './onnxWriter.js';
import { INT8_SCALE_1 } from './quantization.js';

/** A right call of everything public: a function of its arguments, and arguments that it takes. */
export interface Recipe {
  readonly call: (...args: never[]) => unknown;
  readonly args: readonly unknown[];
}

type MakeRecipe = () => Recipe | Promise<Recipe>;

const VALUES = new Float32Array(64 * 96).map((_, i) => Math.sin(i));
const SHAPE = [64, 96] as const;
const BYTES = main.viewBytes(VALUES);
const SMALL = Float32Array.of(1, 2, 3, 4, 5, 6);
const DECLARED = [{ name: 'w', dtype: 'F32', shape: [2] }] as const;

const hctFile = once(async () => {
  const sink = main.memorySink();
  const writer = new main.HctWriter(sink, { dtype: 'F32', shape: SHAPE, algorithm: 'zstd', name: 'w' });
  await writer.write(BYTES);
  await writer.close();
  return sink.bytes;
});

/** Of the encoding whose decoder has options. */
const encoded = once(async () => {
  await main.loadDecodings();
  const options = { matrix: 'gaussian', fragments: 3, rowsPerFragment: 8 } as const;
  return new main.HoloTensorEncoder('random-projection', options).encode(SMALL, [2, 3]);
});

const holoFile = once(async () => {
  const sink = main.memorySink();
  const { header, fragments } = await encoded();
  await new main.HoloTensorWriter(sink).write(header, fragments);
  return sink.bytes;
});

const safetensors = once(async () =>
  modelOf([{ name: 'w', dtype: 'F32', shape: [64, 96] }], undefined, () => BYTES),
);
const modelFile = once(async () => modelFileOf(await safetensors()));

const directory = once(async () => {
  const files = new Map<string, Uint8Array>();
  await main.encodeModel(main.bytesSource(await safetensors()), async (name) => collecting(files, name));
  return async (name: string) => main.bytesSource(files.get(name)!);
});

const folder = once(async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, 'w.raw'), BYTES);
  writeFileSync(join(path, 'w.hct'), await hctFile());
  writeFileSync(join(path, 'w.holo'), await holoFile());
  mkdirSync(join(path, 'model'));
  return (name: string) => join(path, name);
});

/** Options and fields that no other argument names, so that each can be replaced. */
const HCT_OPTIONS = {
  dtype: 'F32',
  shape: [64, 96],
  quantization: INT8_SCALE_1,
} as const;

const RECIPES: Readonly<Record<string, MakeRecipe>> = {
  // Sources.
  blobSource: () => ({ call: main.blobSource, args: [new Blob([BYTES as Uint8Array<ArrayBuffer>])] }),
  bytesSource: () => ({ call: main.bytesSource, args: [BYTES] }),
  httpSource: () => ({ call: main.httpSource, args: ['https://example.org/w.hct', { retry: {} }] }),
  openCache: () => ({ call: main.openCache, args: [main.memoryStore(), {}] }),
  streamSource: () => ({ call: readAll(main.streamSource), args: [[BYTES]] }),
  withCache: () => ({ call: main.withCache, args: [source(), main.openCache(main.memoryStore()), {}] }),
  withCoalescing: () => ({ call: sources.withCoalescing, args: [source(), {}] }),
  withFailover: () => ({ call: sources.withFailover, args: [[source()], {}] }),
  withRetry: () => ({ call: sources.withRetry, args: [source(), {}] }),
  createLimiter: () => ({ call: sources.createLimiter, args: [4] }),
  'Limiter#acquire': () => method(sources.createLimiter(4), 'acquire', new AbortController().signal),
  ...ofSources({
    bytes: () => source(),
    blob: () => main.blobSource(new Blob([BYTES as Uint8Array<ArrayBuffer>])),
    cached: () => main.withCache(source(), main.openCache(main.memoryStore())),
    coalesced: () => sources.withCoalescing(source()),
    failover: () => sources.withFailover([source(), source()]),
    retried: () => sources.withRetry(source()),
    http: () =>
      main.httpSource('https://example.org/w.raw', {
        fetch: async () => new Response(BYTES as Uint8Array<ArrayBuffer>),
      }),
    file: async () => node.fileSource((await folder())('w.raw')),
  }),

  // Stages.
  ...streams({
    HctDecoderStream: [main.HctDecoderStream, {}],
    HctCollectorStream: [main.HctCollectorStream, {}],
    HctEncoderStream: [main.HctEncoderStream, HCT_OPTIONS],
    HctParserStream: [operators.HctParserStream, {}],
    HctDecompressionStream: [operators.HctDecompressionStream, {}],
    FragmentDecoderStream: [main.FragmentDecoderStream, {}],
    ReconstructionStream: [main.ReconstructionStream, { emit: { everyMs: 5 } }],
    QualityLimiterStream: [main.QualityLimiterStream, 0.5],
    NpyEncoderStream: [operators.NpyEncoderStream, 'F32', [2]],
    NpyParserStream: [operators.NpyParserStream, {}],
    StageStream: [operators.StageStream, () => ({ push: () => [], flush: () => [] })],
  }),
  collectHct: () => ({ call: main.collectHct, args: [{}] }),
  decodeHct: () => ({ call: main.decodeHct, args: [{}] }),
  encodeHct: () => ({ call: main.encodeHct, args: [HCT_OPTIONS] }),
  parseHct: () => ({ call: operators.parseHct, args: [{}] }),
  decompressHct: () => ({ call: operators.decompressHct, args: [{}] }),
  decodeFragments: () => ({ call: main.decodeFragments, args: [{}] }),
  reconstruct: () => ({ call: main.reconstruct, args: [{ emit: { qualityStep: 0.5 } }] }),
  takeUntilQuality: () => ({ call: main.takeUntilQuality, args: [0.5] }),
  parseNpy: () => ({ call: operators.parseNpy, args: [{}] }),
  encodeNpy: () => ({ call: operators.encodeNpy, args: ['F32', [2]] }),
  stageOperator: () => ({
    call: operators.stageOperator,
    args: [() => ({ push: () => [], flush: () => [] })],
  }),
  fromReadableStream: () => ({
    call: (input) => firstOf(main.fromReadableStream(input)),
    args: [stream(BYTES)],
  }),

  // Sinks.
  memorySink: () => ({ call: main.memorySink, args: [{}] }),
  collectTensor: async () => ({ call: main.collectTensor, args: [await hctFile(), {}] }),
  sinkStream: () => ({ call: main.sinkStream, args: [main.memorySink()] }),
  streamSink: () => ({ call: main.streamSink, args: [new WritableStream()] }),
  'new HctWriter': () => construct(main.HctWriter, main.memorySink(), HCT_OPTIONS),
  'HctWriter#write': () => method(hctWriter(), 'write', BYTES),
  'new HctSink': () => construct(sinks.HctSink, main.memorySink(), HCT_OPTIONS),
  'new TensorSink': () => construct(sinks.TensorSink, {}),
  'new HoloTensorWriter': () => construct(main.HoloTensorWriter, main.memorySink(), {}),
  'HoloTensorWriter#write': async () => {
    const { header, fragments } = await encoded();
    return method(new main.HoloTensorWriter(main.memorySink()), 'write', header, fragments);
  },
  'SafetensorsWriter.open': () => ({
    call: main.SafetensorsWriter.open,
    args: [main.memorySink(), DECLARED, {}],
  }),
  'SafetensorsWriter#write': async () => method(await safetensorsWriter(), 'write', 'w', new Uint8Array(8)),
  'SafetensorsWriter#writable': async () => method(await safetensorsWriter(), 'writable', 'w'),
  ...ofSinks({
    memory: () => main.memorySink(),
    stream: () => main.streamSink(new WritableStream()),
    file: async () => node.fileSink((await folder())('out.raw')),
  }),

  // Readers.
  'HctReader.open': async () => ({
    call: main.HctReader.open,
    args: [main.bytesSource(await hctFile()), {}],
  }),
  'HctReader#readBlock': async () => method(await hctReader(), 'readBlock', 0, {}),
  'HctReader#read': async () => method(await hctReader(), 'read', 0, 8, {}),
  'HctReader#readInto': async () => method(await hctReader(), 'readInto', new Uint8Array(8), 0, {}),
  'HctReader#readRows': async () => method(await hctReader(), 'readRows', 0, 1, {}),
  'HctReader#readAll': async () => method(await hctReader(), 'readAll', {}),
  'HctReader#validateChecksums': async () => method(await hctReader(), 'validateChecksums', {}),
  'HoloTensorReader.open': async () => ({
    call: main.HoloTensorReader.open,
    args: [main.bytesSource(await holoFile()), {}],
  }),
  'HoloTensorReader#readFragment': async () => method(await holoReader(), 'readFragment', 0, {}),
  'HoloTensorReader#readAll': async () => method(await holoReader(), 'readAll', {}),
  'HoloTensorReader#readInto': async () => method(await holoReader(), 'readInto', new Uint8Array(8), 0, {}),
  'HoloTensorReader#readFragments': async () => method(await holoReader(), 'readFragments', [0], {}),
  'HoloTensorReader#readToQuality': async () => method(await holoReader(), 'readToQuality', 0.5, {}),
  'NpyReader.open': () => ({ call: main.NpyReader.open, args: [npySource(), {}] }),
  'NpyReader#readAll': async () => method(await npyReader(), 'readAll', {}),
  'NpyReader#readRows': async () => method(await npyReader(), 'readRows', 0, 1, {}),
  'NpyReader#stream': async () => method(await npyReader(), 'stream', {}),
  readSafetensors: async () => ({
    call: main.readSafetensors,
    args: [main.bytesSource(await safetensors()), {}],
  }),
  readSafetensorsHeader: async () => ({
    call: formats.readSafetensorsHeader,
    args: [main.bytesSource(await safetensors()), {}],
  }),

  // Models.
  openModel: async () => ({
    call: main.openModel,
    args: [main.bytesSource(await modelFile()), { http: { retry: {} } }],
  }),
  'Model#load': async () => method(await model(), 'load', {}),
  'Model#tensor': async () => method(await model(), 'tensor', 'w', {}),
  'Model#rows': async () => method(await plainModel(), 'rows', 'w', 0, 1, {}),
  'Model#plannedBytes': async () => method(await model(), 'plannedBytes', {}),
  'Model#snapshots': async () => {
    const opened = await model();
    // It refuses options before the first is asked for.
    return { call: (options: never) => void opened.snapshots(options), args: [{}] };
  },
  'Model#file': async () => method(await model(), 'file', {}),
  'PlainFile#read': async () => method(await (await model()).file(), 'read', 0, 8, {}),
  'PlainFile#stream': async () => method(await (await model()).file(), 'stream', {}),
  'PlainFile#response': async () => method(await (await model()).file(), 'response', {}),
  createFetch: () => ({ call: createFetch, args: [{}] }),
  serveModels: () => ({ call: serveModelsHere, args: [{}] }),
  loadFeeds: async () => ({
    // Both refuse options before the first step is asked for.
    call: (...args: Parameters<typeof loadFeeds>) => void loadFeeds(...args),
    args: [await model(), { ort: { Tensor: class {} }, session: { inputNames: ['w'] } }],
  }),
  loadSessions: async () => ({
    call: (...args: Parameters<typeof loadSessions>) => void loadSessions(...args),
    args: [await model(), { ort: { InferenceSession: { create: async () => ({}) } }, graph: 'model.onnx' }],
  }),
  loadWeights: async () => ({
    call: (...args: Parameters<typeof loadWeights>) => void loadWeights(...args),
    args: [
      await model(),
      {
        tf: { tensor() {} },
        network: { weights: [{ originalName: 'w', shape: [64, 96], dtype: 'float32', write() {} }] },
      },
    ],
  }),
  ioHandler: async () => ({
    call: ioHandler,
    args: [await model(), { modelJson: { weightsManifest: [] } }],
  }),
  'Model#prioritize': async () => method(await model(), 'prioritize', ['w']),
  encodeModel: async () => ({
    call: main.encodeModel,
    args: [main.bytesSource(await safetensors()), async () => main.memorySink(), {}],
  }),
  encodeModelFile: async () => ({
    call: main.encodeModelFile,
    args: [
      [{ name: 'a', source: main.bytesSource(await safetensors()) }],
      main.memorySink(),
      main.memoryStagingStore(),
      { encode: {} },
    ],
  }),
  openForeignModel: () => ({
    call: main.openForeignModel,
    args: [main.bytesSource(modelProto(graphOf([rawTensor('w', SHAPE, BYTES)]))), { name: 'model.onnx' }],
  }),
  calibrate: () => ({
    call: formats.calibrate,
    args: [
      new Map([['w', { shape: SHAPE, data: VALUES }]]),
      (weights: ReadonlyMap<string, Float32Array>) => weights.get('w'),
      {},
    ],
  }),
  decodeModelFile: async () => ({
    call: main.decodeModelFile,
    args: [main.bytesSource(await modelFile()), async () => main.memorySink(), {}],
  }),
  'ModelReader.open': async () => ({ call: main.ModelReader.open, args: [await directory(), {}] }),
  'new ModelReader': async () => {
    const { manifest } = await modelReader();
    return construct(main.ModelReader, manifest, await directory(), {});
  },
  'ModelReader#tensor': async () => method(await modelReader(), 'tensor', 'w'),
  'ModelReader#read': async () => method(await modelReader(), 'read', 'w', {}),
  'ModelReader#chunks': async () => {
    const reader = await modelReader();
    return {
      call: (tensor, options) => reader.chunks(tensor, options).next(),
      args: [reader.tensor('w'), {}],
    };
  },
  readModelFile: async () => ({
    call: formats.readModelFile,
    args: [main.bytesSource(await modelFile()), {}],
  }),
  readModelTensor: async () => {
    const opened = main.bytesSource(await modelFile());
    const { tensors } = await formats.readModelFile(opened);
    return { call: formats.readModelTensor, args: [opened, tensors[0], {}] };
  },
  parseModelFile: async () => {
    const bytes = await modelFile();
    const { dataStart } = await formats.readModelFile(main.bytesSource(bytes));
    return { call: formats.parseModelFile, args: [bytes.subarray(0, dataStart), bytes.length, {}] };
  },
  parseModelPlan: async () => {
    const { metadata } = formats.parseSafetensorsHeader(await modelFile());
    return { call: formats.parseModelPlan, args: [metadata, {}] };
  },
  serializeModelPlan: async () => {
    const { plan } = await formats.readModelFile(main.bytesSource(await modelFile()));
    return { call: formats.serializeModelPlan, args: [plan] };
  },
  parseManifest: async () => ({
    call: formats.parseManifest,
    args: [formats.serializeManifest((await modelReader()).manifest), {}],
  }),
  serializeManifest: async () => ({
    call: formats.serializeManifest,
    args: [(await modelReader()).manifest],
  }),

  // Bulk.
  folderStorage: async () => ({ call: bulk.folderStorage, args: [(await folder())('storage')] }),
  openBulkStorage: async () => ({ call: bulk.openBulkStorage, args: [(await folder())('storage')] }),
  convertModels: async () => ({
    call: bulk.convertModels,
    args: [
      [{ sources: ['w.safetensors'], output: 'w.holo.safetensors' }],
      await bulk.folderStorage((await folder())('storage')),
      { encode: {} },
    ],
  }),
  cleanStorage: async () => ({
    call: bulk.cleanStorage,
    args: [await bulk.folderStorage((await folder())('storage')), {}],
  }),
  addModels: async () => ({
    call: withoutQueue(bulk.addModels),
    args: [[], (await folder())('storage'), { encode: {} }],
  }),
  bulkStatus: () => ({ call: withoutQueue(bulk.bulkStatus), args: [{}] }),
  workBulk: () => ({ call: withoutQueue(bulk.workBulk), args: [{}] }),

  // Tensors in memory.
  loadDecodings: () => ({ call: main.loadDecodings, args: [['spectral']] }),
  'new HoloTensorDecoder': async () => {
    const { header } = await encoded();
    return construct(main.HoloTensorDecoder, header, { range: { start: 0, end: 6 } });
  },
  'HoloTensorDecoder#addFragment': async () => {
    const { header, fragments } = await encoded();
    return method(new main.HoloTensorDecoder(header), 'addFragment', fragments[0]);
  },
  'HoloTensorDecoder#reconstruct': async () => method(await decoder(), 'reconstruct', new Float32Array(6)),
  'HoloTensorDecoder#reconstructTensor': async () =>
    method(await decoder(), 'reconstructTensor', new Uint8Array(24)),
  'HoloTensorDecoder#adding': async () => {
    const { header, fragments } = await encoded();
    return method(new main.HoloTensorDecoder(header), 'adding', fragments[0]);
  },
  'HoloTensorDecoder#addingTogether': async () => {
    const { header, fragments } = await encoded();
    return method(new main.HoloTensorDecoder(header), 'addingTogether', [fragments[0]]);
  },
  'HoloTensorDecoder#reconstructing': async () =>
    method(await decoder(), 'reconstructing', new Float32Array(6)),
  'HoloTensorDecoder#reconstructingTensor': async () =>
    method(await decoder(), 'reconstructingTensor', new Uint8Array(24)),
  'QualityCurve#fragmentsForQuality': () =>
    method(new formats.QualityCurve([0, 1, 0, 0], 1), 'fragmentsForQuality', 0.5, 8),
  'new HoloTensorEncoder': () => construct(main.HoloTensorEncoder, 'embedded', {}),
  'HoloTensorEncoder#encode': () => method(new main.HoloTensorEncoder('embedded'), 'encode', SMALL, [2, 3]),
  'HoloTensorEncoder#encode1d': () => method(new main.HoloTensorEncoder('embedded'), 'encode1d', SMALL),
  'HoloTensorEncoder#encode2d': () => method(new main.HoloTensorEncoder('embedded'), 'encode2d', SMALL, 2, 3),
  'HoloTensorEncoder#encodingTensor': () =>
    method(
      new main.HoloTensorEncoder('embedded'),
      'encodingTensor',
      { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) },
      { mayOverwrite: false, payloads: new Uint8Array(9) },
    ),
  'HoloTensorEncoder#encodeTensor': () =>
    method(new main.HoloTensorEncoder('embedded'), 'encodeTensor', {
      dtype: 'F32',
      shape: [2, 3],
      data: SMALL,
    }),
  fromFloat32: () => ({ call: main.fromFloat32, args: ['F32', SMALL] }),
  toFloat32: () => ({
    call: main.toFloat32,
    args: [
      { dtype: 'I8', shape: [3], data: Int8Array.of(1, 2, 3) },
      { quantization: { metadata: HCT_OPTIONS.quantization } },
    ],
  }),
  toFloat16: () => ({ call: main.toFloat16, args: [{ dtype: 'F32', shape: [6], data: SMALL }] }),
  dequantize: () => ({
    call: main.dequantize,
    args: [Int8Array.of(1, 2, 3), { metadata: HCT_OPTIONS.quantization }, new Float32Array(3)],
  }),
  similarity: () => ({ call: main.similarity, args: [SMALL, SMALL] }),
  viewBytes: () => ({ call: main.viewBytes, args: [SMALL] }),
  viewElements: () => ({ call: main.viewElements, args: ['F32', BYTES] }),

  // Workers.
  'new WorkerPool': () => construct(main.WorkerPool, 2, {}),

  // Files on disk.
  fileSource: async () => ({ call: closed(node.fileSource), args: [(await folder())('w.raw')] }),
  fileSink: async () => ({ call: closed(node.fileSink), args: [(await folder())('copy.raw'), {}] }),
  removeLeftovers: async () => ({ call: node.removeLeftovers, args: [(await folder())('w.raw')] }),
  folderStore: async () => ({ call: node.folderStore, args: [(await folder())('cache')] }),
  folderStagingStore: async () => ({
    call: node.folderStagingStore,
    args: [(await folder())('staging')],
  }),
  modelFolder: async () => ({ call: node.modelFolder, args: [(await folder())('model')] }),
  modelFolderSink: async () => ({ call: closed(node.modelFolderSink), args: [(await folder())('new'), {}] }),
  compressFile: async () => {
    const at = await folder();
    return { call: node.compressFile, args: [at('w.raw'), at('out.hct'), { dtype: 'F32', shape: [64, 96] }] };
  },
  decompressFile: async () => {
    const at = await folder();
    return { call: node.decompressFile, args: [at('w.hct'), at('out.raw'), {}] };
  },
  decodeFromFile: async () => ({ call: node.decodeFromFile, args: [(await folder())('w.holo'), {}] }),
  decodeFromFileProgressive: async () => ({
    call: node.decodeFromFileProgressive,
    args: [(await folder())('w.holo'), 0.5, {}],
  }),
  openHoloTensor: async () => ({
    call: closed(node.openHoloTensor),
    args: [(await folder())('w.holo'), {}],
  }),
  readHoloTensor: async () => ({ call: node.readHoloTensor, args: [(await folder())('w.holo'), {}] }),
  encodeToFile: async () => ({
    call: node.encodeToFile,
    args: [(await folder())('out.holo'), { dtype: 'F32', shape: [2, 3], data: SMALL }, 'embedded', {}],
  }),
  writeHoloTensor: async () => {
    const { header, fragments } = await encoded();
    return { call: node.writeHoloTensor, args: [(await folder())('out.holo'), header, fragments, {}] };
  },

  // The wire level.
  bitsPerElement: () => ({ call: formats.bitsPerElement, args: ['F32'] }),
  byteLengthOf: () => ({ call: formats.byteLengthOf, args: ['F32', 3] }),
  dtypeCode: () => ({ call: formats.dtypeCode, args: ['F32'] }),
  elementCount: () => ({ call: formats.elementCount, args: [[2, 3]] }),
  bfloat16ToFloat32: () => ({
    call: formats.bfloat16ToFloat32,
    args: [new Uint16Array(2), new Float32Array(2)],
  }),
  halfToFloat32: () => ({ call: formats.halfToFloat32, args: [new Uint16Array(2), new Float32Array(2)] }),
  float32ToBfloat16: () => ({
    call: formats.float32ToBfloat16,
    args: [new Float32Array(2), new Uint16Array(2)],
  }),
  float32ToHalf: () => ({ call: formats.float32ToHalf, args: [new Float32Array(2), new Uint16Array(2)] }),
  packInt4: () => ({ call: formats.packInt4, args: [Int8Array.of(1, 2)] }),
  unpackInt4: () => ({ call: formats.unpackInt4, args: [Uint8Array.of(1), 2, new Int8Array(2)] }),
  parseNpyHeader: () => ({ call: formats.parseNpyHeader, args: [formats.npyHeader('F32', [2]), {}] }),
  npyHeader: () => ({ call: formats.npyHeader, args: ['F32', [2]] }),
  serializeQuantizationMetadata: () => ({
    call: formats.serializeQuantizationMetadata,
    args: [HCT_OPTIONS.quantization],
  }),
  planHctHeader: () => ({ call: formats.planHctHeader, args: [HCT_OPTIONS] }),
  serializeHctHeader: () => ({
    call: formats.serializeHctHeader,
    args: [formats.planHctHeader(HCT_OPTIONS)],
  }),
  serializeBlockIndex: () => ({
    call: formats.serializeBlockIndex,
    args: [{ offset: 0, compressedSize: 8 }],
  }),
  serializeBlockIndexV2: () => ({
    call: formats.serializeBlockIndexV2,
    args: [{ offset: 0, compressedSize: 8, checksum: 5n }],
  }),
  serializeHctExtension: () => ({ call: formats.serializeHctExtension, args: [{ name: 'w', shape: [2] }] }),
  parseQuantizationMetadata: () => ({
    call: formats.parseQuantizationMetadata,
    args: [formats.serializeQuantizationMetadata(HCT_OPTIONS.quantization), 0],
  }),
  parseHctExtensionPrefix: () => ({
    call: formats.parseHctExtensionPrefix,
    args: [formats.serializeHctExtension({ name: 'w' }).subarray(0, 8)],
  }),
  parseHctExtensionBody: () => ({
    call: formats.parseHctExtensionBody,
    args: [formats.serializeHctExtension({ name: 'w' }).subarray(8)],
  }),
  parseHoloTensorHeader: async () => ({ call: formats.parseHoloTensorHeader, args: [await holoFile()] }),
  parseFragmentIndexEntry: () => ({ call: formats.parseFragmentIndexEntry, args: [new Uint8Array(24), 0] }),
  parseHctHeader: async () => ({ call: formats.parseHctHeader, args: [await hctFile(), {}] }),
  'new HctParser': () => construct(formats.HctParser, {}),
  'HctParser#push': async () => method(new formats.HctParser(), 'push', await hctFile()),
  'new HoloTensorParser': () => construct(formats.HoloTensorParser, {}),
  'HoloTensorParser#push': async () => method(new formats.HoloTensorParser(), 'push', await holoFile()),
  fitQualityCurve: () => ({ call: formats.fitQualityCurve, args: [[0.5, 1], 1] }),
  serializeFragmentIndexEntry: () => ({
    call: formats.serializeFragmentIndexEntry,
    args: [{ index: 0, flags: 0, offset: 0, compressedSize: 8, uncompressedSize: 8, checksum: 0n }],
  }),
  packHoloTensor: async () => {
    const { header, fragments } = await encoded();
    const kernels = await formats.loadKernels();
    return { call: formats.packHoloTensor, args: [header, fragments, { kernels }] };
  },
  serializeHoloTensorHeader: async () => ({
    call: formats.serializeHoloTensorHeader,
    args: [(await encoded()).header],
  }),
  'new EmbeddedEncoder': () => construct(formats.EmbeddedEncoder, {}),
  'new SpectralEncoder': () => construct(formats.SpectralEncoder, { layout: 'essential' }),
  'new LowRankEncoder': () => construct(formats.LowRankEncoder, {}),
  'new RandomProjectionEncoder': () => construct(formats.RandomProjectionEncoder, {}),
  ...encoders({
    EmbeddedEncoder: new formats.EmbeddedEncoder(),
    SpectralEncoder: new formats.SpectralEncoder(),
    LowRankEncoder: new formats.LowRankEncoder(),
    RandomProjectionEncoder: new formats.RandomProjectionEncoder(),
  }),
  isSafetensorsDType: () => ({ call: formats.isSafetensorsDType, args: ['F32'] }),
  safetensorsByteLength: () => ({ call: formats.safetensorsByteLength, args: ['F32', [2]] }),
  parseSafetensorsHeader: async () => ({
    call: formats.parseSafetensorsHeader,
    args: [await safetensors(), {}],
  }),
  safetensorsHeaderSize: async () => ({
    call: formats.safetensorsHeaderSize,
    args: [await safetensors(), {}],
  }),
  serializeSafetensorsHeader: () => ({
    call: formats.serializeSafetensorsHeader,
    args: [DECLARED, new Map()],
  }),
  loadCodec: () => ({ call: formats.loadCodec, args: ['zstd', {}] }),
  loadDecoder: () => ({ call: formats.loadDecoder, args: ['zstd', {}] }),
  'Codec#compress': async () => method(await formats.loadCodec('zstd'), 'compress', BYTES, {}),
  xxh3: () => ({ call: formats.xxh3, args: [BYTES] }),
  ...transforms({
    dct1d: [formats.dct1d, []],
    idct1d: [formats.idct1d, []],
    dct2d: [formats.dct2d, [2, 3]],
    idct2d: [formats.idct2d, [2, 3]],
  }),
  'new SeededRng': () => construct(formats.SeededRng, 1n),
  loadKernels: () => ({ call: formats.loadKernels, args: [['dct'], {}] }),
};

/** Undefined for a name without a recipe. */
export function recipeOf(name: string): MakeRecipe | undefined {
  return Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
}

export const RECIPE_NAMES: readonly string[] = Object.keys(RECIPES);

function source() {
  return main.bytesSource(BYTES);
}

function stream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return source().stream({ end: bytes.length });
}

function readAll(make: (input: never) => main.ByteSource) {
  return async (input: never) => make(input).stream().getReader().read();
}

function firstOf(observable: ReturnType<typeof main.fromReadableStream>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    observable.subscribe({ next: resolve, error: reject, complete: () => resolve(undefined) });
  });
}

function collecting(files: Map<string, Uint8Array>, name: string): main.SeekableSink {
  const sink = main.memorySink();
  return {
    ...sink,
    async close() {
      await sink.close();
      files.set(name, sink.bytes);
    },
  };
}

/** Closes what has been opened. */
function closed<A extends never[]>(open: (...args: A) => Promise<object>) {
  return async (...args: A) => {
    const opened = (await open(...args)) as { abort?(): Promise<void>; close?(): Promise<void> };
    await (opened.abort ?? opened.close)?.call(opened);
  };
}

function construct(Class: new (...args: never[]) => unknown, ...args: unknown[]): Recipe {
  return { call: (...given) => new Class(...given), args };
}

function method<T extends object>(object: T, name: keyof T & string, ...args: unknown[]): Recipe {
  const call = object[name] as (...given: never[]) => unknown;
  return { call: (...given) => outputs(call.apply(object, given)), args };
}

/** Generators begin with the first value that is asked for. */
function outputs(result: unknown): unknown {
  const { next } = Object(result) as { next?: unknown };
  return typeof next === 'function' ? (result as Iterator<unknown>).next() : result;
}

/** In a scope that hears of nothing. */
function serveModelsHere(options?: Parameters<typeof serveModels>[0]): void {
  const scope = globalThis as { addEventListener?: unknown };
  scope.addEventListener = () => {};
  try {
    serveModels(options);
  } finally {
    delete scope.addEventListener;
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function streams(
  classes: Readonly<Record<string, readonly [new (...args: never[]) => unknown, ...unknown[]]>>,
): Record<string, MakeRecipe> {
  return Object.fromEntries(
    Object.entries(classes).map(([name, [Class, ...args]]) => [
      `new ${name}`,
      () => construct(Class, ...args),
    ]),
  );
}

function ofSources(
  make: Readonly<Record<string, () => main.RandomAccessSource | Promise<main.RandomAccessSource>>>,
): Record<string, MakeRecipe> {
  return Object.fromEntries(
    Object.entries(make).flatMap(([name, open]): [string, MakeRecipe][] => {
      const read: MakeRecipe = async () => method(await open(), 'read', 0, 8, {});
      const stream: MakeRecipe = async () => method(await open(), 'stream', { start: 0 });
      const version: MakeRecipe = async () => method(await open(), 'version', {});
      return [
        [`RandomAccessSource#read (${name})`, read],
        [`RandomAccessSource#stream (${name})`, stream],
        // The others have none.
        ...(/bytes|blob|file/.test(name)
          ? []
          : [[`RandomAccessSource#version (${name})`, version] as [string, MakeRecipe]]),
      ];
    }),
  );
}

function ofSinks(
  make: Readonly<Record<string, () => main.SeekableSink | Promise<main.SeekableSink>>>,
): Record<string, MakeRecipe> {
  return Object.fromEntries(
    Object.entries(make).map(([name, open]): [string, MakeRecipe] => [
      `SeekableSink#write (${name})`,
      async () => method(await open(), 'write', new Uint8Array(4), 0),
    ]),
  );
}

/** The package of the queue is not installed: that is said once the arguments have been checked. */
function withoutQueue<A extends readonly unknown[]>(call: (...args: A) => Promise<unknown>) {
  return (...args: A) =>
    call(...args).catch((error: unknown) => {
      if (!(error instanceof UnsupportedError)) throw error;
    });
}

function encoders(
  all: Readonly<
    Record<
      string,
      { encode(request: formats.EncodeRequest): unknown; encoding?(request: formats.EncodeRequest): unknown }
    >
  >,
): Record<string, MakeRecipe> {
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, encoder]) =>
      (['encode', 'encoding'] as const)
        .filter((each) => encoder[each] !== undefined)
        .map((each): [string, MakeRecipe] => [
          `${name}#${each}`,
          async () => {
            const tensor = { dtype: 'F32', shape: [2, 3], data: SMALL };
            const kernels = await formats.loadKernels();
            return method(encoder, each, { rows: 2, cols: 3, tensor, fragments: 2, seed: 0n, kernels });
          },
        ]),
    ),
  );
}

function transforms(
  all: Readonly<Record<string, readonly [(...args: never[]) => unknown, readonly number[]]>>,
): Record<string, MakeRecipe> {
  return Object.fromEntries(
    Object.entries(all).map(([name, [call, size]]): [string, MakeRecipe] => [
      name,
      () => ({ call, args: [SMALL, ...size, {}] }),
    ]),
  );
}

function hctWriter() {
  return new main.HctWriter(main.memorySink(), { dtype: 'F32', shape: SHAPE });
}

function safetensorsWriter() {
  return main.SafetensorsWriter.open(main.memorySink(), DECLARED);
}

async function hctReader() {
  return main.HctReader.open(main.bytesSource(await hctFile()));
}

async function holoReader() {
  return main.HoloTensorReader.open(main.bytesSource(await holoFile()));
}

function npySource() {
  return main.bytesSource(Uint8Array.of(...formats.npyHeader('F32', [2]), ...new Uint8Array(8)));
}

async function npyReader() {
  return main.NpyReader.open(npySource());
}

async function decoder() {
  const { header, fragments } = await encoded();
  const made = new main.HoloTensorDecoder(header);
  made.addFragment(fragments[0]!);
  return made;
}

async function model() {
  return main.openModel(main.bytesSource(await modelFile()));
}

async function plainModel() {
  return main.openModel(main.bytesSource(await safetensors()));
}

async function modelReader() {
  return main.ModelReader.open(await directory());
}
