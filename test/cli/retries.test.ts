import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCli } from '../helpers/cli.js';
import { fileServer } from '../helpers/fileServer.js';
import { modelOf } from '../helpers/models.js';

const test = suite('command line: servers that make it wait');

test('each new attempt is said, with its reason', async () => {
  const bytes = modelOf([{ name: 'w', dtype: 'F32', shape: [30, 40] }]);
  await using server = await fileServer({ 'm.safetensors': bytes });
  let refused = 0;
  server.before = async (_, response) => {
    if (refused++ > 0) return;
    response.writeHead(503).end();
    return true;
  };
  const { code, stdout, stderr } = await runCli(['inspect', `${server.url}m.safetensors`]);
  assert.is(code, 0, stderr);
  assert.match(stdout.toString(), /^w +F32/m);
  assert.match(stderr, /^holostream: .*503.*m\.safetensors\); trying again in \d\.\d s\n$/);
});

test.run();
