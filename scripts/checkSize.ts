/**
 * What a page requests to read a file: kilobytes (1,000 bytes), minified and gzipped, of all chunks. No list of chunks is
 * kept by hand: each task is bundled with code splitting and run in a process of its own, and the chunks that it
 * evaluates are counted. Fails when a sum is above its limit, when a reader evaluates an encoder or the worker pool, and
 * when it imports RxJS.
 *
 * docs/dependencies.md has the aims, what the kilobytes are, and what was tried.
 * usage: npm run build && npm run size [-- --inputs]    --inputs: the modules in these chunks, the largest first
 */
import { gzipSync } from 'node:zlib';
import { bundle, type Chunk, requestedChunks } from './requestedChunks.js';
import { ONE_FILE, TASKS, type Task } from './sizeTasks.js';

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

console.log('kB'.padEnd(32), ...['gzipped', 'limit', 'minified', 'chunks'].map((title) => title.padStart(7)));
for (const task of TASKS) {
  const chunks = await requestedChunks(task);
  report(task.name, chunks, task.limit);
  refuseForeign(task, chunks);
}
for (const { name, limit, code } of ONE_FILE) report(name, await bundle(code, false), limit);
