import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundledPackages, COMPILED_IN, thirdPartyNotices } from '../scripts/thirdParty.js';
import { exportedNames } from './helpers/exportedNames.js';
import { CORE_FLOORS, importsOf, PRODUCT_FLOORS, productFiles } from './helpers/product.js';
import { withoutComments } from './helpers/thrownMessages.js';

const test = suite('package');

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The one import between folders of a floor: sinks drive stages. */
const BESIDE = 'sinks → operators';

const folderOf = (file: string) => file.split('/')[0]!;

/** Files of the product and the files that each of them imports, as imports name them: `src/errors.js`. */
const imports = () =>
  productFiles().flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => [file, join(dirname(file), specifier)] as const),
  );

/** How high each place is, from 0. */
const floorsOf = (floors: readonly (readonly string[])[]) =>
  new Map(floors.flatMap((places, floor) => places.map((place) => [place, floor] as const)));

/** The TypeScript file that a built file is made of. */
const sourceOf = (built: string) =>
  join(root, built.replace('./dist/', '').replace(/(\.d\.ts|\.js)$/, '.ts'));

test('package.json: every export and the command have a source, and types beside them', () => {
  const { './package.json': self, './min': minified, ...entries } = manifest.exports;
  assert.is(self, './package.json');
  assert.equal(minified, { ...entries['.'], default: './dist/holostream.min.js' });
  assert.equal([manifest.unpkg, manifest.jsdelivr], Array(2).fill('dist/holostream.min.js'));
  assert.equal(Object.keys(entries), [
    '.',
    './node',
    './formats',
    './sources',
    './operators',
    './sinks',
    './fetch',
    './service-worker',
    './onnxruntime',
    './bulk',
    './tfjs',
    './worker',
    './polyfill',
    './lean',
  ]);
  for (const { types, default: code } of Object.values<{ types: string; default: string }>(entries)) {
    assert.is(types.replace('.d.ts', '.js'), code);
    assert.ok(existsSync(sourceOf(code)), code);
  }
  assert.equal(manifest.bin, { holostream: 'dist/cli/main.js' });
  assert.ok(existsSync(sourceOf(`./${manifest.bin.holostream}`)));
  // Imported for what it does, in a worker script of one's own.
  assert.equal(manifest.sideEffects, [
    manifest.exports['./polyfill'].default,
    manifest.exports['./worker'].default,
    './dist/holostream.worker.min.js',
    './dist/service-worker.js',
  ]);
  assert.is(manifest.type, 'module');
  assert.match(manifest.peerDependencies.rxjs, /^\^7\.8/);
});

test('every package that the product imports is bundled or a dependency, and every dependency is imported', async () => {
  const imported = new Set<string>();
  for (const file of productFiles()) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.') || specifier.startsWith('node:') || builtinModules.includes(specifier))
        continue;
      imported.add(
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    }
  }
  const outside = { ...manifest.dependencies, ...manifest.peerDependencies };
  const bundled = await bundledPackages();
  for (const name of imported) assert.ok(name in outside || bundled.has(name), `${name} is declared`);
  for (const name of Object.keys(outside)) assert.ok(imported.has(name), `${name} is imported`);
});

test('THIRD_PARTY_NOTICES has the licences of what is bundled and compiled in (update it by `npm run notices`)', async () => {
  const notices = readFileSync(join(root, 'THIRD_PARTY_NOTICES'), 'utf8');
  assert.is(notices, await thirdPartyNotices());
  for (const needle of ['Fedor Indutny', 'Meta Platforms', 'TJ Holowaychuk']) {
    assert.match(notices, needle);
  }
  assert.ok(manifest.files.includes('THIRD_PARTY_NOTICES'));
});

test('docs/dependencies.md has every package that is bundled, compiled in or a peer, and no other', async () => {
  const text = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
  // Names are in the first column of the tables.
  const listed = Array.from(text.matchAll(/^\| (`.*?) \|/gm), ([, cell = '']) =>
    Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = '']) => name),
  );
  const held = [
    ...(await bundledPackages()).keys(),
    ...COMPILED_IN.map(({ name }) => name),
    ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  ];
  assert.equal([...new Set(listed.flat())].sort(), [...new Set(held)].sort());
});

test('imports point down, floor by floor', () => {
  const floorOf = floorsOf(PRODUCT_FLOORS);
  for (const [from, to] of imports()) {
    const [folder, target] = [folderOf(from), folderOf(to)];
    // The entries of the package import all floors, and nothing imports them.
    const floor = floorOf.get(folder) ?? Infinity;
    const below = floorOf.get(target) ?? Infinity;
    assert.ok(
      floor === Infinity || below < floor || target === folder || `${folder} → ${target}` === BESIDE,
      `${from} imports ${to}`,
    );
  }
});

test('within src, too, from room to room', () => {
  const roomOf = (file: string) => file.split('/')[1]!.replace(/\.[jt]s$/, '');
  const floorOf = floorsOf(CORE_FLOORS);
  const rooms = new Set<string>();
  for (const [from, to] of imports().filter((files) => files.every((file) => folderOf(file) === 'src'))) {
    const [room, target] = [roomOf(from), roomOf(to)];
    rooms.add(room);
    assert.ok(target === room || floorOf.get(target)! < floorOf.get(room)!, `${from} imports ${to}`);
  }
  for (const room of rooms) assert.ok(floorOf.has(room), `${room} has a floor`);
});

test('implementations of kernels are known to kernels only, modules of Node where there are files, and RxJS outside src', () => {
  for (const file of productFiles()) {
    const folder = folderOf(file);
    for (const specifier of importsOf(file)) {
      const place = `${file} imports ${specifier}`;
      if (specifier.startsWith('node:')) {
        assert.not(['src', 'platform', 'operators', 'workers'].includes(folder), place);
      }
      if (specifier === 'rxjs') assert.not(['src', 'platform'].includes(folder), place);
    }
  }
  for (const [from, to] of imports()) {
    assert.not(
      !from.startsWith('src/kernels/') && /^src\/kernels\/(portable|[^/]+\/(portable|wasm))/.test(to),
      `${from} imports ${to}: take it from the subject's interface, or from what its implementations share`,
    );
  }
});

test('commands take no stage from beside its operator: Node takes a tenth of a second to load RxJS', () => {
  for (const [from, to] of imports().filter(([from]) => folderOf(from) === 'cli')) {
    assert.not(/^operators\/(hct|holotensor|npy|index|stageOperator)\.js$/.test(to), `${from} imports ${to}`);
  }
});

test('src has no timers, streams, threads, network or modules of Node, but where docs/architecture.md says why', () => {
  const impure =
    /\b(setTimeout|setInterval|MessageChannel|performance|fetch|Worker|getBuiltinModule|DecompressionStream|new (Readable|Writable|Transform)Stream)\b/;
  const files = productFiles().filter(
    (file) =>
      folderOf(file) === 'src' && impure.test(withoutComments(readFileSync(join(root, file), 'utf8'))),
  );
  assert.equal(files.sort(), [
    'src/async/steps.ts',
    'src/bytes/sharedMemory.ts',
    'src/codecs/zstdNative.ts',
    'src/kernels/runtime/module.ts',
    'src/kernels/runtime/runtime.ts',
  ]);
});

test('no file imports itself by way of others, types included', () => {
  const all = imports();
  const open: string[] = [];
  const done = new Set<string>();
  const visit = (file: string) => {
    if (done.has(file)) return;
    assert.not(open.includes(file), [...open.slice(open.indexOf(file)), file].join(' → '));
    open.push(file);
    for (const [from, to] of all) if (from === file) visit(to.replace(/\.js$/, '.ts'));
    open.pop();
    done.add(file);
  };
  for (const file of productFiles()) visit(file);
  assert.ok(done.size > 200, `${done.size} files`);
});

test('JSON of others is parsed by parseJson, which caps it first', () => {
  const parsing = productFiles().filter((file) =>
    /\bJSON\.parse\(|\.json\(\)/.test(readFileSync(join(root, file), 'utf8')),
  );
  // The scanner gives it one string at a time.
  assert.equal(parsing, ['src/bytes/json.ts', 'src/safetensors/headerScanner.ts']);
});

test('lists of unknown length are neither spread into calls, which overflows the stack, nor shifted, which is quadratic', () => {
  const spread =
    /\b(push|unshift|concat|splice|max|min|fromCharCode|fromCodePoint)\(([^(){}]|\([^()]*\))*\.\.\.[\w.(]+/g;
  const calls = productFiles().flatMap((file) => {
    const code = readFileSync(join(root, file), 'utf8');
    const found = [...(code.match(spread) ?? []), ...(code.match(/\.(un)?shift\(/g) ?? [])];
    return found.map((call) => `${file}: ${call}`);
  });
  // Each of these lists has a small bound, whatever the input is.
  assert.equal(calls.sort(), [
    'operators/hctWorkerDecoder.ts: .shift(',
    'src/encodings/embedded/scaleNumbers.ts: max(...lengths',
    'src/encodings/embedded/streamHeader.ts: push(...selection',
    'src/encodings/embedded/streamHeader.ts: push(nonzero.length, ...nonzero',
    'src/holotensor/fitQuality.ts: max(...used',
    'src/holotensor/fitQuality.ts: min(...slope',
  ]);
});

test('the exported names are those of the list (update it by `npm run names`, and the changelog with it)', async () => {
  const listed = JSON.parse(readFileSync(join(root, 'test/exportedNames.json'), 'utf8'));
  assert.equal(await exportedNames(), listed);
});

test('folders that scripts write by default are neither committed nor linted', () => {
  const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
  const { useIgnoreFile } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')).vcs;
  const folders = ['scripts/buildDocs.ts', 'examples/page/buildMain.ts'].map((script) => {
    const [, folder] = /folder = (?:resolve\(process\.argv\[2\] \?\? )?'(\w+)'/.exec(
      readFileSync(join(root, script), 'utf8'),
    )!;
    return `/${folder}/`;
  });
  assert.is(useIgnoreFile, true);
  assert.equal(
    folders.filter((folder) => !ignored.includes(folder)),
    [],
  );
});

test.run();
