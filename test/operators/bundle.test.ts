import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The modules in a bundle of these names, and the packages that it imports. */
async function bundled(names: string): Promise<{ modules: string[]; packages: string[] }> {
  const { metafile } = await build({
    stdin: { contents: `export { ${names} } from './operators/index.ts';`, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    outdir: 'out',
    format: 'esm',
    platform: 'browser',
    packages: 'external',
    metafile: true,
    write: false,
  });
  const [entry] = Object.values(metafile.outputs).filter(({ entryPoint }) => entryPoint === '<stdin>');
  return {
    modules: Object.keys(entry!.inputs),
    packages: entry!.imports.flatMap(({ path, external }) => (external ? [path] : [])),
  };
}

test('a bundle of streams has neither RxJS nor, before they are wanted, workers in it', async () => {
  const streams = await bundled('HctDecoderStream, FragmentDecoderStream, ReconstructionStream');
  assert.equal(streams.packages.includes('rxjs'), false);
  assert.equal(
    streams.modules.filter((module) => /[wW]orker(s\/.*[pP]ool|Decoder|Reconstructor)/.test(module)),
    [],
  );
  assert.ok(streams.modules.includes('operators/stageStream.ts'));
  assert.ok((await bundled('decodeHct')).packages.includes('rxjs'));
});

test.run();
