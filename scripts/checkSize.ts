/**
 * What a page requests to read a file: kilobytes (1,000 bytes), minified and gzipped, of all chunks. No list of chunks is
 * kept by hand: each task is bundled with code splitting and run in a process of its own, and the chunks that it
 * evaluates are counted. Fails when a sum is above its limit, when a reader evaluates an encoder or the worker pool, and
 * when it imports RxJS.
 *
 * docs/dependencies.md has the aims, what the kilobytes are, and what was tried.
 * usage: npm run build && npm run size [-- --inputs]    --inputs: the modules in these chunks, the largest first
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { encodeModelFile } from '../models/file/encodeModelFile.js';
import { memoryStagingStore } from '../models/file/stagingStore.js';
import { HctWriter } from '../sinks/hct.js';
import { HoloTensorWriter } from '../sinks/holotensor.js';
import { memorySink } from '../sinks/memory.js';
import { SafetensorsWriter } from '../sinks/safetensors.js';
import { bytesSource } from '../sources/bytes.js';
import { HoloTensorEncoder } from '../src/holotensor/encoder.js';
import { SeededRng } from '../src/kernels/gaussian/rng.js';

interface Task {
  readonly name: string;
  /** Kilobytes. */
  readonly limit: number;
  /** What `holostream` is imported for. */
  readonly names: string;
  /** The body of an asynchronous function that reads the file at `url` and returns how many values it has found. */
  readonly body: string;
  readonly file: Uint8Array;
  /** A model's progress is an observable of RxJS. */
  readonly rxjs?: boolean;
}

const ROOT = join(import.meta.dirname, '..');
/** Inside the repository, so that chunks find rxjs. */
const SCRATCH = join(ROOT, 'node_modules/.cache/size');

const SHAPE = [96, 64] as const;
const VALUES = SHAPE[0] * SHAPE[1];
const RANDOM = new SeededRng(1n);
const DATA = Float32Array.from({ length: VALUES }, () => 0.02 * RANDOM.nextNormal());
const BYTES = new Uint8Array(DATA.buffer);

/** A source of the page's own: what reading costs, without what fetching does. */
const OWN_SOURCE = `
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const source = { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };`;

const HCT_FILE = await hctFile();
const HOLOTENSOR_FILE = await holoTensorFile();

const TASKS: readonly Task[] = [
  {
    name: 'HCT file (Zstd), own source',
    limit: 23.3,
    names: 'HctReader',
    body: `${OWN_SOURCE}
      return (await (await HctReader.open(source)).readAll()).data.length;`,
    file: HCT_FILE,
  },
  {
    name: 'HCT file (Zstd), httpSource',
    limit: 30.6,
    names: 'HctReader, httpSource',
    body: 'return (await (await HctReader.open(httpSource(url))).readAll()).data.length;',
    file: HCT_FILE,
  },
  {
    name: 'HCT file (Zstd), stream',
    limit: 25.6,
    names: 'HctCollectorStream',
    body: `
      const response = await fetch(url);
      for await (const { data } of response.body.pipeThrough(new HctCollectorStream())) return data.length;`,
    file: HCT_FILE,
  },
  {
    name: 'embedded HoloTensor, own source',
    limit: 36.4,
    names: 'HoloTensorReader',
    body: `${OWN_SOURCE}
      return (await (await HoloTensorReader.open(source)).readAll()).data.length;`,
    file: HOLOTENSOR_FILE,
  },
  {
    name: 'embedded HoloTensor, httpSource',
    limit: 43.7,
    names: 'HoloTensorReader, httpSource',
    body: 'return (await (await HoloTensorReader.open(httpSource(url))).readAll()).data.length;',
    file: HOLOTENSOR_FILE,
  },
  {
    name: 'embedded HoloTensor, stream',
    limit: 38.8,
    names: 'FragmentDecoderStream, ReconstructionStream',
    body: `
      const fragments = (await fetch(url)).body.pipeThrough(new FragmentDecoderStream());
      let last;
      for await (const tensor of fragments.pipeThrough(new ReconstructionStream())) last = tensor;
      return last.complete ? last.data.length : 0;`,
    file: HOLOTENSOR_FILE,
  },
  {
    name: 'model file, opened and loaded',
    // The aim.
    limit: 60,
    names: 'openModel',
    body: `
      const model = await openModel(url);
      const { data } = (await model.load()).get('weight');
      await model.close();
      return data.length;`,
    file: await modelFile(),
    rxjs: true,
  },
];

/** In one file: `openModel` with all that it can come to need, and that of `holostream/lean`. */
const ONE_FILE = [
  { name: 'openModel in one file', limit: 144.6, code: "export { openModel } from 'holostream';" },
  { name: 'the same of holostream/lean', limit: 73.6, code: "export { openModel } from 'holostream/lean';" },
];

const COMMON = {
  alias: { 'holostream/lean': join(ROOT, 'dist/lean.js'), holostream: join(ROOT, 'dist/index.js') },
  absWorkingDir: ROOT,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  external: ['rxjs'] as string[],
  metafile: true,
  write: false,
} as const satisfies BuildOptions;

interface Chunk {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly parts: Metafile['outputs'][string];
}

async function bundle(code: string, splitting: boolean): Promise<Chunk[]> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: ROOT },
    outdir: SCRATCH,
    ...COMMON,
    splitting,
  });
  return outputFiles.map(({ path, contents }) => ({
    path,
    bytes: contents,
    parts: metafile.outputs[relative(ROOT, path)]!,
  }));
}

function codeOf({ names, body }: Task): string {
  return `import { ${names} } from 'holostream';\nexport async function run(url) {${body}}`;
}

/** Runs the task as a page would, and returns the chunks that it has evaluated. */
async function requested(task: Task, chunks: readonly Chunk[]): Promise<Chunk[]> {
  await rm(SCRATCH, { recursive: true, force: true });
  await mkdir(SCRATCH, { recursive: true });
  await writeFile(join(SCRATCH, 'package.json'), '{ "type": "module" }');
  for (const { path, bytes } of chunks) {
    await writeFile(path, `globalThis.evaluated.push(import.meta.filename);\n${Buffer.from(bytes)}`);
  }
  const entry = chunks.find(({ parts }) => parts.entryPoint === '<stdin>')!;
  const page = `
    globalThis.evaluated = [];
    const { run } = await import(${JSON.stringify(entry.path)});
    const values = await run(process.argv[1]);
    console.log(JSON.stringify({ values, evaluated }));`;
  const server = createServer((request, response) => answer(task.file, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      page,
      `http://127.0.0.1:${port}/model.safetensors`,
    ]);
    const { values, evaluated } = JSON.parse(stdout) as { values: number; evaluated: string[] };
    if (values !== VALUES) throw new Error(`${task.name}: ${values} values in place of ${VALUES}`);
    const found = chunks.filter(({ path }) => evaluated.includes(path));
    // Behind a symbolic link, modules have other paths.
    if (found.length === 0)
      throw new Error(`${task.name}: no chunk is known by the path that it was evaluated from`);
    return found;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** As nearly all servers do: ranges. */
function answer(file: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (start === undefined) {
    response.end(file);
    return;
  }
  const part = file.subarray(Number(start), end ? Number(end) + 1 : file.length);
  const last = Number(start) + part.length - 1;
  response.writeHead(206, { 'content-range': `bytes ${start}-${last}/${file.length}` }).end(part);
}

function report(name: string, chunks: readonly Chunk[], limit: number): void {
  const size = chunks.reduce((sum, { bytes }) => sum + gzipSync(bytes, { level: 9 }).length, 0) / 1000;
  const minified = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1000;
  const figures = [size, limit, minified].map((figure) => figure.toFixed(1).padStart(7));
  console.log(name.padEnd(32), ...figures, String(chunks.length).padStart(7));
  if (size > limit) process.exitCode = 1;
  if (!process.argv.includes('--inputs')) return;
  const inputs = chunks.flatMap(({ parts }) => Object.entries(parts.inputs));
  inputs.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
  for (const [file, { bytesInOutput }] of inputs) console.log(String(bytesInOutput).padStart(10), file);
}

/** Modules that no reader needs, by their paths: what encodes, and what runs tasks in workers. */
const FOREIGN =
  /encod(e|er|eKernels|eTensor|eModelFile)\.js$|Encode(\.generated)?\.js$|workers\/(taskPool|members?|thread|sharedPool)\.js$/;

function refuseForeign({ name, rxjs = false }: Task, chunks: readonly Chunk[]): void {
  const inputs = chunks.flatMap(({ parts }) => Object.entries(parts.inputs));
  const modules = inputs.flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > 0 && FOREIGN.test(path) ? [path] : [],
  );
  const imports = chunks.flatMap(({ parts }) => parts.imports);
  const packages = rxjs ? [] : imports.flatMap(({ path, external }) => (external ? [path] : []));
  if (modules.length + packages.length === 0) return;
  console.log(`${name}: evaluates ${[...modules, ...packages].join(', ')}`);
  process.exitCode = 1;
}

async function hctFile(): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new HctWriter(sink, { dtype: 'F32', shape: SHAPE, algorithm: 'zstd' });
  await writer.write(BYTES);
  await writer.close();
  return sink.bytes;
}

async function holoTensorFile(): Promise<Uint8Array> {
  const sink = memorySink();
  const { header, fragments } = new HoloTensorEncoder('embedded', { fragments: 4 }).encode(DATA, SHAPE);
  await new HoloTensorWriter(sink).write(header, fragments);
  return sink.bytes;
}

async function modelFile(): Promise<Uint8Array> {
  const source = memorySink();
  const writer = await SafetensorsWriter.open(source, [
    { name: 'weight', dtype: 'F32', shape: SHAPE },
    { name: 'bias', dtype: 'F32', shape: [SHAPE[1]] },
  ]);
  await writer.write('weight', BYTES);
  await writer.write('bias', BYTES.subarray(0, 4 * SHAPE[1]));
  await writer.close();
  const sink = memorySink();
  const files = [{ name: 'model.safetensors', source: bytesSource(source.bytes) }];
  await encodeModelFile(files, sink, memoryStagingStore());
  return sink.bytes;
}

console.log('kB'.padEnd(32), ...['gzipped', 'limit', 'minified', 'chunks'].map((title) => title.padStart(7)));
for (const task of TASKS) {
  const chunks = await requested(task, await bundle(codeOf(task), true));
  report(task.name, chunks, task.limit);
  refuseForeign(task, chunks);
}
for (const { name, limit, code } of ONE_FILE) report(name, await bundle(code, false), limit);
await rm(SCRATCH, { recursive: true, force: true });
