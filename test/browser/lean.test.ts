import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModel } from '../../models/openModel.js';
import { viewBytes } from '../../src/tensor/tensor.js';
import { BrowserTest } from '../helpers/browser.js';
import { modelFileOf } from '../helpers/modelFiles.js';
import { TRAINED_FILES } from '../helpers/trained.js';

const test = suite('holostream/lean in a browser');

const script = `
  import { openModel } from 'holostream/lean';

  const digest = async (data) => {
    const hash = await crypto.subtle.digest('SHA-256', data);
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  const digests = async (model) => {
    const tensors = [...(await model.load()).values()];
    return Promise.all(tensors.map(async ({ name, data }) => name + ' ' + (await digest(data))));
  };
  globalThis.run = {
    url: async (url) => digests(await openModel(url)),
    blob: async (url) => digests(await openModel(await (await fetch(url)).blob())),
    refusal: (url) => openModel(url).then(String, ({ message }) => message),
  };
  globalThis.ready = true;
`;

const file = await modelFileOf(TRAINED_FILES.layers);
const expected = Array.from(
  await (await openModel(file)).load(),
  ([name, { data }]) => `${name} ${createHash('sha256').update(viewBytes(data)).digest('hex')}`,
);

let browser: BrowserTest;
test.before(async () => {
  browser = await BrowserTest.open(script, ({ url }, response) => {
    response.end(url === '/x.holo.safetensors' ? file : TRAINED_FILES.digits);
  });
});
test.after(() => browser.close());

test('loads a model file by its URL, and from a Blob', async () => {
  for (const input of ['url', 'blob'])
    assert.equal(await browser.tab.evaluate(`run.${input}('/x.holo.safetensors')`), expected, input);
});

test('all of it is in one file', () => {
  assert.equal([...browser.scripts.keys()], ['/bundle.js']);
});

test('says where plain safetensors are opened', async () => {
  const message = await browser.tab.evaluate(`run.refusal('/x.safetensors')`);
  assert.match(String(message), /^Cannot open a file that is no model file: .* use openModel of holostream /);
});

test.run();
