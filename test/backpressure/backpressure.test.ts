import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { publicFlows } from '../helpers/publicCalls.js';
import { pseudoRandomBytes } from '../helpers/random.js';
import { aheadOfReader } from './measure.js';
import { SINK_CASES } from './sinks.js';
import { SOURCE_CASES } from './sources.js';
import { STAGE_CASES } from './stages.js';

/**
 * What waits in memory where the reader is slower than everything before it, by any factor: it moves only when nothing
 * else does. docs/reliability.md has the bounds.
 */

const test = suite('backpressure');

const CASES = [...STAGE_CASES, ...SOURCE_CASES, ...SINK_CASES];

/** Nothing waits in them, or another case is about the same. */
const OTHERS: Readonly<Record<string, string>> = {
  'Model#file': 'fetches up to 64 MiB of a model file together, as documented',
  memorySink: 'what is written is its content',
  'NpyReader.open': 'NpyReader#stream',
  'new PlainFile': 'Model#file',
  'PlainFile#stream': 'Model#file',
  'SafetensorsWriter.open': 'SafetensorsWriter#writable',
};

test('everything public that bytes or values pass through is measured', () => {
  const flows = publicFlows({ ModelFolderSink: 'models/directory/modelFolder.ts' }).map(({ name }) =>
    name.replace(/ \(\d+\)$/, ''),
  );
  const measured = [...CASES.map(({ of }) => of), ...Object.keys(OTHERS)];
  assert.equal([...new Set(flows)].toSorted(), [...new Set(measured)].toSorted());
});

test('the documentation has a bound of each', () => {
  const text = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  const [, section = ''] = text.split('\n## Backpressure\n');
  const [table = ''] = section.split('\n## ');
  const names = CASES.map(({ of }) => of.replace(/^new /, '').replace('#', '.'));
  assert.equal(
    names.filter((name) => !table.includes(`\`${name}\``)),
    [],
  );
});

test('a stage that reads ahead is noticed', async () => {
  const items = Array.from({ length: 100 }, () => pseudoRandomBytes(1000));
  const size = ({ length }: Uint8Array) => length;
  const greedy = () => new TransformStream<Uint8Array, Uint8Array>({}, undefined, { highWaterMark: 9 });
  const ahead = await aheadOfReader(greedy, { items, weigh: size, weighOutput: size });
  assert.ok(ahead >= 9000, `${ahead} bytes`);
});

for (const { of, how, bound, peak } of CASES) {
  test(`${of}${how === undefined ? '' : `, ${how}`}`, async () => {
    const most = await peak();
    assert.ok(most <= bound, `${most} bytes wait, more than ${bound}`);
  });
}

test.run();
