import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as errors from '../../src/errors.js';

test('an error says which class it is of, also where a minifier has renamed them all', async () => {
  const entry = new URL('../../src/errors.ts', import.meta.url).pathname;
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
  });
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64');
  const minified: typeof errors = await import(`data:text/javascript;base64,${code}`);
  assert.equal(Object.keys(minified).sort(), Object.keys(errors).sort());
  for (const [name, Class] of Object.entries(minified)) {
    if (!(Class.prototype instanceof Error)) continue;
    const error = new Class('wrong');
    assert.is(error.name, name);
    assert.is(String(error), `${name}: wrong`);
  }
});

test.run();
