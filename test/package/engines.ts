import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveFolder } from '../../examples/demo/server.js';
import { installPacked, linkPackages, runModule } from '../helpers/packedPackage.js';
import { assertRead, expectedDigests, writeFiles } from '../runtimes/helpers/files.js';

/** The package in processes that lack what some engines lack. */
export const test = suite('package: engines');

const project = installPacked();
linkPackages(project, 'rxjs', 'web-streams-polyfill');
await writeFiles(join(project, 'files'));
cpSync(fileURLToPath(new URL('../runtimes/program', import.meta.url)), project, { recursive: true });

const importAll = ['', '/node', '/formats', '/sources', '/operators', '/sinks']
  .map((entry) => `import 'holostream${entry}';`)
  .join('\n');

/** Runs a module in the project, after scripts that see to the globals before anything is imported. */
function runAfter(scripts: readonly string[], code: string, ...args: readonly string[]): Promise<string> {
  const flags = scripts.flatMap((script, i) => {
    writeFileSync(join(project, `before${i}.mjs`), script);
    return ['--import', `./before${i}.mjs`];
  });
  return runModule(project, code, { flags, args });
}

/**
 * Node's own fetch does not work with a polyfill's classes. This one does, and the body of its response is a stream of
 * the engine's, as in old WebViews.
 */
const NO_STREAMS = `
  import { request } from 'node:http';
  import { Readable } from 'node:stream';

  globalThis.fetch = (url, { headers = [], signal } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(url, { headers: Object.fromEntries(headers), signal }, (message) => {
        const { statusCode: status } = message;
        const received = new Headers(Object.entries(message.headers));
        resolve({ url, status, ok: status < 300, headers: received, body: Readable.toWeb(message) });
      });
      sent.on('error', reject).end();
    });
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (/Stream(Default|BYOB|$)|^ReadableByteStream|QueuingStrategy$/.test(name)) delete globalThis[name];
  }
`;
const NO_WEBASSEMBLY = 'delete globalThis.WebAssembly;';
/** Node's own fetch has compiled its parser before. */
const COMPILES_NOTHING = `
  import { createServer } from 'node:http';
  const server = createServer((request, response) => response.end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  await (await fetch('http://127.0.0.1:' + server.address().port)).text();
  server.close();
  server.closeAllConnections();
  const refuse = () => {
    throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
  };
  WebAssembly.compile = WebAssembly.instantiate = async () => refuse();
  WebAssembly.Module = class { constructor() { refuse(); } };
`;

for (const [name, script] of Object.entries({ NO_STREAMS, NO_WEBASSEMBLY, COMPILES_NOTHING })) {
  test(`every entry can be imported: ${name}`, async () => {
    assert.is(await runAfter([script], `${importAll} console.log('imported');`), 'imported');
  });
}

test('holostream/polyfill gives an engine without streams all that reading takes', async () => {
  await using server = await serveFolder(join(project, 'files'), 65536);
  const globals = `console.log(['ReadableStream', 'CompressionStream'].map((name) => typeof globalThis[name]).join());`;
  assert.is(await runAfter([NO_STREAMS], globals), 'undefined,undefined');
  const foreign = `console.log((await fetch(process.argv[1])).body instanceof ReadableStream);`;
  const polyfilled = [NO_STREAMS, `import 'holostream/polyfill';`];
  assert.is(await runAfter(polyfilled, foreign, `${server.url}zstd.hct`), 'false');
  const program = `import { check } from './check.js'; console.log(JSON.stringify(await check(process.argv[1])));`;
  assertRead(JSON.parse(await runAfter(polyfilled, program, server.url)));
});

test('holostream/polyfill: stages, readers and sinks with streams of its own', async () => {
  const program = `
    import { HctReader, openModel, viewBytes } from 'holostream';
    import { fileSink, fileSource } from 'holostream/node';
    import { FragmentDecoderStream, HctDecoderStream, HctEncoderStream, QualityLimiterStream, ReconstructionStream }
      from 'holostream/operators';
    import { collectTensor, HctSink, memorySink, sinkStream, TensorSink } from 'holostream/sinks';
    import { bytesSource, memoryStore, openCache, streamSource, withCache, withRetry } from 'holostream/sources';

    const own = (stream) => stream instanceof ReadableStream;
    const data = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
    const file = memorySink();
    const sink = new HctSink(file, { version: 2, algorithm: 'lz4', dtype: 'F32', shape: [50, 100] });
    await bytesSource(viewBytes(data)).stream().pipeTo(sink);
    await sink.stats;
    const same = ({ data: read }) => Buffer.compare(viewBytes(read), viewBytes(data)) === 0;

    const target = memorySink();
    const decoded = bytesSource(file.bytes).stream().pipeThrough(new HctDecoderStream());
    const results = { decoded: own(decoded) };
    await decoded.pipeTo(sinkStream(target));
    results.piped = Buffer.compare(target.bytes, viewBytes(data)) === 0;
    const tensors = new TensorSink();
    await streamSource([file.bytes]).stream().pipeTo(tensors);
    results.sink = same(await tensors.tensor);
    const copy = await fileSink('copy.hct');
    await bytesSource(file.bytes).stream().pipeTo(sinkStream(copy));
    const source = await fileSource('copy.hct');
    results.file = same(await collectTensor(source.stream()));
    results.reader = same(await (await HctReader.open(withRetry(source))).readAll());
    results.blob = same(await collectTensor(new Blob([file.bytes]).stream()));
    const encoded = bytesSource(viewBytes(data)).stream()
      .pipeThrough(new HctEncoderStream({ algorithm: 'lz4', dtype: 'F32', shape: [5000] }));
    results.encoded = same(await collectTensor(encoded));
    const cached = withCache({ ...source, version: async () => '1' }, await openCache(memoryStore()));
    results.cached = [same(await collectTensor(cached.stream())), same(await collectTensor(cached.stream()))];
    await source.close();

    const embedded = await fileSource('files/embedded.holo');
    const qualities = embedded.stream().pipeThrough(new FragmentDecoderStream())
      .pipeThrough(new ReconstructionStream()).pipeThrough(new QualityLimiterStream(0.9)).getReader();
    let last;
    for (let next = await qualities.read(); !next.done; next = await qualities.read()) last = next.value.quality.cosine;
    results.quality = last >= 0.9;
    const model = await openModel(await fileSource('files/model.holo.safetensors'));
    const progress = model.progressStream();
    results.progress = own(progress);
    const first = progress.getReader().read();
    await model.load();
    results.reported = (await first).value.totalBytes > 0;
    console.log(JSON.stringify(results));
  `;
  const results = JSON.parse(await runAfter([NO_STREAMS, `import 'holostream/polyfill';`], program));
  assert.is(Object.keys(results).length, 11);
  for (const [name, result] of Object.entries<boolean | boolean[]>(results)) {
    assert.ok([result].flat().every(Boolean), name);
  }
});

test('holostream/polyfill changes nothing where the engine has streams', async () => {
  const program = `
    const native = [ReadableStream, WritableStream, TransformStream];
    await import('holostream/polyfill');
    console.log(native.every((Class) => globalThis[Class.name] === Class));
  `;
  assert.is(await runModule(project, program), 'true');
});

for (const [name, script] of Object.entries({ NO_WEBASSEMBLY, COMPILES_NOTHING })) {
  test(`portable kernels read every kind of file: ${name}`, async () => {
    const program = `
      import { createHash } from 'node:crypto';
      import { HctReader, HoloTensorReader, openModel } from 'holostream';
      import { loadKernels } from 'holostream/formats';
      import { fileSource } from 'holostream/node';

      const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
      const hct = async (name) => (await (await HctReader.open(await fileSource(name))).readAll()).data;
      const holo = await HoloTensorReader.open(await fileSource('files/embedded.holo'));
      const model = await openModel(await fileSource('files/model.holo.safetensors'));
      const all = {
        zstd: sha256(await hct('files/zstd.hct')),
        lz4: sha256(await hct('files/lz4.hct')),
        embedded: sha256((await holo.readAll()).data),
        model: sha256(...Array.from((await model.load()).values(), ({ data }) => data)),
      };
      const { implementation } = await loadKernels();
      console.log(JSON.stringify({ implementation, all }));
    `;
    const { implementation, all } = JSON.parse(await runAfter([script], program));
    assert.is(implementation, 'portable');
    assert.equal(all, expectedDigests());
  });
}
