/** Bundles code as programs of the package do, and finds the chunks that a page requests for a task. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { type Task, VALUES } from './sizeTasks.js';

const ROOT = join(import.meta.dirname, '..');
/** Inside the repository, so that chunks find rxjs. */
const SCRATCH = join(ROOT, 'node_modules/.cache/size');

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

export interface Chunk {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly parts: Metafile['outputs'][string];
}

export async function bundle(code: string, splitting: boolean): Promise<Chunk[]> {
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
export async function requestedChunks(task: Task): Promise<Chunk[]> {
  const chunks = await bundle(codeOf(task), true);
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
    await rm(SCRATCH, { recursive: true });
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
