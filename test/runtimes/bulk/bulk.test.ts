import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeToModelFile } from '../../helpers/modelFiles.js';
import { modelOf, type TestTensor } from '../../helpers/models.js';
import { run } from '../helpers/process.js';
import { Project } from '../helpers/project.js';
import { FleetProcess, FleetWorker, redis } from './fleet.js';
import { type StandIn, standIn } from './standIn.js';

/** A fleet: a real Redis, a storage with the API of S3, workers that are killed. */

const test = suite('bulk: fleets');

const SHARDS = 44;
const TENSORS = 5;
const OUTPUT = 'fleet/model.holo.safetensors';

/** Weights as networks have them. */
const fill = ({ shape }: TestTensor, byteLength: number, index: number) => {
  const values = Float32Array.from(
    { length: byteLength / 4 },
    (_, i) => 0.02 * Math.sin(i * (index + shape[0]!)),
  );
  return new Uint8Array(values.buffer);
};

/** A tensor that is divided, and into how many ranges. */
const LARGE: TestTensor = { name: 'head.weight', dtype: 'F32', shape: [1000, 700] };
const RANGES = 6;
const MAX_UNIT_BYTES = 480_000;

const shards = Object.fromEntries(
  Array.from({ length: SHARDS }, (_, i) => {
    const tensors = Array.from({ length: TENSORS }, (_, j): TestTensor => {
      return { name: `layers.${i}.${j}.weight`, dtype: 'F32', shape: [100 + i, 160 + j] };
    });
    if (i === 0) tensors.push(LARGE);
    const number = (value: number) => String(value).padStart(5, '0');
    return [`model-${number(i + 1)}-of-${number(SHARDS)}.safetensors`, modelOf(tensors, undefined, fill)];
  }),
);

let project: Project;
let alone: Uint8Array;

test.before(async () => {
  project = await Project.create('bulk');
  mkdirSync(project.path('source'));
  for (const [name, bytes] of Object.entries(shards)) writeFileSync(project.path(`source/${name}`), bytes);
  alone = await encodeToModelFile(shards);
});

test.after(() => project.remove());

const variables = ({ url }: Pick<StandIn, 'url'>, key = 'key'): NodeJS.ProcessEnv => ({
  AWS_ACCESS_KEY_ID: key,
  AWS_SECRET_ACCESS_KEY: key,
  AWS_REGION: 'us-east-1',
  AWS_ENDPOINT_URL_S3: url,
});

const bulk = (args: readonly string[], environment: NodeJS.ProcessEnv) =>
  run(project.path('node_modules/.bin/holostream'), ['bulk', ...args], project.folder, environment);

const unitWrites = (storage: StandIn) => storage.done.filter((request) => /^PUT .*\/units\//.test(request));

/** Units, and ranges of them, whose worker was taken for lost, each as often as that happened: the queue notes it. */
async function lostParts(url: string): Promise<string[]> {
  const read = `
    import { Redis } from 'ioredis';
    const redis = new Redis(process.argv[1]);
    console.log(JSON.stringify(await redis.xrange('bull:holostream-units:events', '-', '+')));
    await redis.quit();
  `;
  const events: readonly [id: string, fields: readonly string[]][] = JSON.parse(
    await project.run('node', '--input-type=module', '--eval', read, url),
  );
  // A job's name has that of its model in front.
  return events.flatMap(([, fields]) =>
    fields[1] === 'stalled' ? [fields[3]!.slice(fields[3]!.indexOf('-') + 1)] : [],
  );
}

test('three workers, one killed, one stopped, Redis restarted, a storage that fails, is slow and cuts uploads off: the file of one machine', async () => {
  await using storage = await standIn();
  mkdirSync(project.path('redis'));
  await using queue = await redis(project.path('redis'));
  const environment = { ...variables(storage), REDIS_URL: queue.url };
  const place = ['--to', 's3://hub', '--output', OUTPUT];
  const source = [project.path('source'), ...place, '--max-unit-bytes', String(MAX_UNIT_BYTES)];
  const added = JSON.parse(await bulk(['add', ...source, '--json'], environment));
  assert.equal([added[0].state, added[0].units], ['queued', SHARDS + RANGES]);
  storage.faults = {
    every: [
      [17, 500],
      [23, 503],
    ],
    cutEvery: 6,
    chunkDelay: 2,
  };
  const worker = () => new FleetWorker(project, ['--workers', '1', '--stalled', '3', '--drain'], environment);
  const workers = [worker(), worker(), worker()] as const;
  await workers[0].jobs(3);
  await workers[0].stop('SIGKILL');
  await workers[1].jobs(3);
  const stopping = workers[1].stop('SIGTERM');
  await workers[2].jobs(4);
  await queue.restart();
  await stopping;
  const last = worker();
  assert.equal([await workers[2].ended(), await last.ended()], [0, 0], workers[2].errors + last.errors);

  assert.ok(storage.objects.get(OUTPUT)?.equals(alone), 'the file is that of one machine');
  const outcomes = [...workers, last].flatMap((one) => one.outcomes);
  assert.equal(
    outcomes.filter(({ state }) => state === 'failed'),
    [],
  );
  // Again only where a worker was taken for lost: it was killed, or could not renew its locks while Redis was away.
  const times = new Map<string, number>();
  for (const { unit, range, state } of outcomes) {
    const part = [unit, range].filter((number) => number !== undefined).join('-');
    if (state === 'encoded') times.set(part, (times.get(part) ?? 0) + 1);
  }
  const lost = await lostParts(queue.url);
  for (const [part, count] of times) {
    const losses = lost.filter((one) => one === part).length;
    assert.ok(count <= 1 + losses, `${part} was encoded ${count} times, and lost ${losses} times`);
  }
  const keys = unitWrites(storage);
  // Of the tensor that is divided, what is before its fragments has an object, too.
  const objects = SHARDS + RANGES + 1;
  assert.is(new Set(keys).size, objects);
  assert.is(keys.length, objects, 'an object that exists is not written again');

  for (const kind of ['PUT', 'PART'])
    assert.ok(
      storage.cut.some((request) => request.startsWith(kind)),
      `a ${kind} was cut off`,
    );
  assert.is(storage.uploads.size, 0);
  assert.equal(
    [...storage.objects.keys()].filter((key) => key.endsWith('upload.json')),
    [],
  );
  const status = JSON.parse(await bulk(['status', '--json'], environment));
  assert.equal([status.models.length, status.models[0].state, status.failed], [1, 'done', []]);
  assert.is(status.models[0].units, SHARDS + RANGES);
  assert.ok(Object.values(status.units).every((count) => count === 0));

  storage.faults = {};
  const requests = storage.done.length;
  const second = JSON.parse(await bulk(['add', ...source, '--json'], environment));
  assert.is(second[0].state, 'done');
  assert.equal(storage.done.slice(requests), [], 'nothing is written where there is nothing to do');

  const cleaned = JSON.parse(await bulk(['clean', 's3://hub', '--json'], environment));
  // A note for each object, and one of the plan.
  assert.equal([cleaned.objects, cleaned.keptUnits], [2 * objects + 1, 0]);
  const left = [...storage.objects.keys()].map((key) => key.split('/').at(-1)).sort();
  assert.equal(left, ['done.json', 'model.holo.safetensors', 'probe']);
  const third = JSON.parse(await bulk(['add', ...source, '--json'], environment));
  assert.is(third[0].state, 'done');
});

test('commands that do not wait say that Redis cannot be reached, without its password', async () => {
  const environment = { REDIS_URL: 'redis://:secret@127.0.0.1:1' };
  for (const args of [['status'], ['add', 'source', '--to', 'nowhere']]) {
    const command = new FleetProcess(project, args, environment);
    assert.is(await command.ended(), 1);
    assert.match(command.errors, /Cannot reach Redis \(127\.0\.0\.1:1\): connection refused/);
    assert.not.match(command.errors, /secret/);
  }
});

test('without ioredis, which bullmq does not bring, the queue says what to install', async () => {
  const installed = project.path('node_modules/ioredis');
  renameSync(installed, `${installed}-aside`);
  try {
    for (const args of [['status'], ['add', 'source', '--to', 'nowhere'], ['work', '--drain']]) {
      const command = new FleetProcess(project, args, {});
      assert.is(await command.ended(), 1);
      assert.match(command.errors, /install the packages bullmq and ioredis/);
    }
  } finally {
    renameSync(`${installed}-aside`, installed);
  }
});

test('a worker says that it waits for Redis, and ends at once on a signal', async () => {
  const worker = new FleetWorker(project, [], { REDIS_URL: 'redis://:secret@127.0.0.1:1' });
  while (!worker.errors.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 50));
  await worker.stop('SIGTERM');
  const [line, ...others] = worker.errors.trimEnd().split('\n');
  assert.is(line, 'holostream: Cannot reach Redis (127.0.0.1:1): connection refused; waiting for it');
  assert.not.match(others.join('\n'), /secret|at /);
});

test('a worker that has lost its Redis ends at the first signal', async () => {
  const lost = await redis(project.folder);
  const worker = new FleetWorker(project, [], { REDIS_URL: lost.url });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await lost[Symbol.asyncDispose]();
  while (!worker.errors.includes('waiting for it')) await new Promise((resolve) => setTimeout(resolve, 50));
  await worker.stop('SIGTERM');
});

test('what cannot succeed stays with its error, and can be added again', async () => {
  mkdirSync(project.path('redis-2'));
  await using queue = await redis(project.path('redis-2'));
  const environment = { REDIS_URL: queue.url };
  const bad = modelOf([{ name: 'w', dtype: 'F32', shape: [40, 40] }], undefined, (_, byteLength) => {
    return new Uint8Array(new Float32Array(byteLength / 4).fill(Number.NaN).buffer);
  });
  writeFileSync(project.path('bad.safetensors'), bad);
  const args = ['bad.safetensors', '--to', 'failed', '--encoding', 'spectral', '--json'];
  await bulk(['add', ...args], environment);
  const worker = new FleetWorker(project, ['--workers', '0', '--drain'], environment);
  assert.is(await worker.ended(), 0, worker.errors);
  const { models, failed } = JSON.parse(await bulk(['status', '--json'], environment));
  assert.is(models[0].state, 'failed');
  assert.equal([failed.length, failed[0].unit, failed[0].attempts], [1, 0, 1]);
  assert.is(failed[0].error.name, 'ArgumentError');
  const [again] = JSON.parse(await bulk(['add', ...args], environment));
  assert.is(again.state, 'queued');
});

test('a model that is queued is queued for another file, and for another storage, too, and for neither again', async () => {
  mkdirSync(project.path('redis-3'));
  await using queue = await redis(project.path('redis-3'));
  const environment = { REDIS_URL: queue.url };
  writeFileSync(project.path('small.safetensors'), modelOf([{ name: 'w', dtype: 'F32', shape: [9, 9] }]));
  const places = [
    ['--to', 'one', '--output', 'a.holo.safetensors'],
    ['--to', 'one', '--output', 'b.holo.safetensors'],
    ['--to', 'two', '--output', 'a.holo.safetensors'],
  ];
  const add = (place: readonly string[]) =>
    bulk(['add', 'small.safetensors', ...place, '--json'], environment);
  for (const state of ['queued', 'waiting']) {
    for (const place of places) assert.is(JSON.parse(await add(place))[0].state, state);
  }
  const worker = new FleetWorker(project, ['--workers', '0', '--drain'], environment);
  assert.is(await worker.ended(), 0, worker.errors);
  const [first, ...others] = ['one/a', 'one/b', 'two/a'].map((name) =>
    readFileSync(project.path(`${name}.holo.safetensors`)),
  );
  for (const other of others) assert.ok(other.equals(first!));
  const status = JSON.parse(await bulk(['status', '--json'], environment));
  assert.equal(
    status.models.map(({ state }: { state: string }) => state),
    ['done', 'done', 'done'],
  );
});

test('an upload that was killed goes on where it stopped', async () => {
  await using storage = await standIn();
  storage.faults = { partDelay: 700 };
  const large = modelOf([{ name: 'table', dtype: 'I64', shape: [4 << 20] }]);
  writeFileSync(project.path('large.safetensors'), large);
  const args = ['run', 'large.safetensors', '--to', 's3://hub', '--workers', '0'];
  const first = bulk(args, variables(storage)).catch(() => 'killed');
  const parts = () => storage.done.filter((request) => request.startsWith('PART'));
  const part = (number: number) => `PART large.holo.safetensors ${number}`;
  let isOver = false;
  first.then(() => {
    isOver = true;
  });
  while (!parts().includes(part(1)) && !isOver) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(parts().includes(part(1)), 'the upload has begun');
  // The storage ends first: the process cannot finish the upload.
  storage.faults = { every: [[1, 403]] };
  assert.is(await first, 'killed');
  assert.not(storage.objects.has('large.holo.safetensors'));
  const sent = parts();
  // Of those behind one that failed, a later run knows nothing.
  const left: string[] = [];
  while (sent.includes(part(left.length + 1))) left.push(part(left.length + 1));
  storage.faults = {};
  await bulk(args, variables(storage));
  const expected = await encodeToModelFile({ 'large.safetensors': large });
  assert.ok(storage.objects.get('large.holo.safetensors')?.equals(expected));
  const again = parts().slice(sent.length);
  assert.ok(again.length > 0 && left.every((one) => !again.includes(one)), 'no part is sent twice');
  assert.is(storage.uploads.size, 0);
});

test('an upload of a process that was killed before it could note it is aborted, by a later run or by "bulk clean"', async () => {
  await using storage = await standIn();
  writeFileSync(project.path('small.safetensors'), Object.values(shards)[1]!);
  const args = ['run', 'small.safetensors', '--to', 's3://hub', '--workers', '0'];
  const kill = async () => {
    const before = storage.uploads.size;
    storage.faults = { beginsInSilence: true };
    const killed = new FleetProcess(project, args, variables(storage));
    while (storage.uploads.size === before) await new Promise((resolve) => setTimeout(resolve, 10));
    await killed.stop('SIGKILL');
    storage.faults = {};
  };
  await kill();
  await kill();
  assert.is(storage.uploads.size, 2);
  await bulk(['clean', 's3://hub'], variables(storage));
  assert.is(storage.uploads.size, 0);
  await kill();
  await bulk(args, variables(storage));
  assert.ok(storage.objects.has('small.holo.safetensors'));
  assert.is(storage.uploads.size, 0);
});

test('storages that ignore conditions are known; s3rver takes the same', async () => {
  await using storage = await standIn();
  storage.faults = { ignoresConditions: true };
  const shard = readdirSync(project.path('source'))[0]!;
  const args = ['run', `source/${shard}`, '--to', 's3://hub/prefix', '--output', 'one', '--workers', '0'];
  await bulk(args, variables(storage));
  const expected = await encodeToModelFile({ [shard]: shards[shard]! });
  assert.ok(storage.objects.get('prefix/one')?.equals(expected));

  storage.objects.set(`sources/${shard}`, Buffer.from(shards[shard]!));
  const requests = storage.done.length;
  const source = ['run', `s3://hub/sources/${shard}`, '--to', 'read', '--output', 'one', '--workers', '0'];
  await bulk(source, variables(storage));
  assert.ok(readFileSync(project.path('read/one')).equals(expected));
  assert.equal(storage.done.slice(requests), [], 'what is read is not written to');

  await using server = await project.serve('node', 's3rver.cjs');
  await bulk(args, variables({ url: server.url.replace(/\/$/, '') }, 'S3RVER'));
  const back = ['run', 's3://hub/prefix/one', '--to', 'back'];
  await bulk(back, variables({ url: server.url.replace(/\/$/, '') }, 'S3RVER')).then(
    () => assert.unreachable(),
    () => {},
  );
  const stored = readFileSync(project.path('s3rver/hub/prefix/one._S3rver_object'));
  assert.ok(stored.equals(expected));
});

const INPUTS = new URL('../../fixtures/inputs/', import.meta.url);
const EXAMPLES = new URL('../../../examples/bulk/', import.meta.url);
const SCHEMA = new URL('../../fixtures/kubernetes/job.schema.json', import.meta.url);

test('models of other formats are read from a bucket, with the files beside them', async () => {
  await using storage = await standIn();
  const names = ['onnx/external.onnx', 'onnx/external.bin', 'zip/checkpoint.pt'];
  for (const name of names)
    storage.objects.set(`models/${name}`, readFileSync(fileURLToPath(new URL(name, INPUTS))));
  const values = Float32Array.from({ length: 6000 }, (_, i) => Math.sin(i));
  storage.objects.set('models/web/weights.bin', Buffer.from(values.buffer));
  const weights = [{ name: 'dense/kernel', shape: [60, 100], dtype: 'float32' }];
  const manifest = { modelTopology: {}, weightsManifest: [{ paths: ['weights.bin'], weights }] };
  storage.objects.set('models/web/model.json', Buffer.from(JSON.stringify(manifest)));
  const own = storage.objects.size;
  mkdirSync(project.path('foreign'));
  for (const [key, bytes] of storage.objects) {
    mkdirSync(dirname(project.path(`foreign/${key}`)), { recursive: true });
    writeFileSync(project.path(`foreign/${key}`), bytes);
  }
  for (const name of ['onnx/external.onnx', 'zip/checkpoint.pt', 'web/model.json']) {
    const run = (place: string, to: string) =>
      bulk(['run', `${place}models/${name}`, '--to', to, '--workers', '0'], variables(storage));
    await run('s3://hub/', 's3://hub/converted');
    await run('foreign/', 'foreign/converted');
  }
  const written = [...storage.objects.keys()].filter((key) => /^converted\/(?!\.holostream)/.test(key));
  assert.equal(written.sort(), [
    'converted/checkpoint.holo.safetensors',
    'converted/external/external.holo.safetensors',
    'converted/external/external.onnx',
    'converted/web.holo.safetensors',
  ]);
  for (const key of written)
    assert.ok(storage.objects.get(key)!.equals(readFileSync(project.path(`foreign/${key}`))), key);
  assert.is([...storage.objects.keys()].filter((key) => key.startsWith('models/')).length, own);
});

test('the examples for Kubernetes are Jobs, and their commands have these options', async () => {
  const check = `
    import { readFileSync } from 'node:fs';
    import { Ajv } from 'ajv';
    import { parse } from 'yaml';
    const [schema, ...files] = process.argv.slice(1);
    const ajv = new Ajv({ allErrors: true });
    const isJob = ajv.compile(JSON.parse(readFileSync(schema, 'utf8')));
    const jobs = files.map((file) => parse(readFileSync(file, 'utf8')));
    for (const job of jobs) if (!isJob(job)) throw new Error(ajv.errorsText(isJob.errors));
    // A schema that takes everything would take these.
    for (const spec of [{}, { ...jobs[0].spec, completionMode: 'indexed' }, { ...jobs[0].spec, parallelism: '8' }])
      if (isJob({ ...jobs[0], spec })) throw new Error('the schema takes what is wrong');
    console.log(JSON.stringify(jobs.map((job) => job.spec.template.spec.containers[0].args)));
  `;
  const names = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
  assert.is(names.length, 3);
  const paths = names.map((name) => fileURLToPath(new URL(name, EXAMPLES)));
  const output = await project.run(
    'node',
    '--input-type=module',
    '--eval',
    check,
    fileURLToPath(SCHEMA),
    ...paths,
  );
  for (const [command, ...args] of JSON.parse(output) as string[][]) {
    const help = await project.run('holostream', 'bulk', command!, '--help');
    for (const flag of args.filter((argument) => argument.startsWith('--')))
      assert.match(help, new RegExp(`${flag}\\b`), command);
  }
});

test('the Containerfile has nothing that a linter finds', async () => {
  const lint = (path: string) => project.run('dockerfilelint', '--output', 'json', path);
  const { totalIssues } = JSON.parse(await lint(fileURLToPath(new URL('Containerfile', EXAMPLES))));
  assert.is(totalIssues, 0);
  // A linter that takes everything would take this.
  writeFileSync(project.path('Containerfile'), 'FROM node:latest\nRUN sudo true\n');
  await lint(project.path('Containerfile')).then(
    () => assert.unreachable('the linter finds nothing'),
    () => {},
  );
});

test('the Containerfile: a fixed version, no rights, the command as its entry', () => {
  const text = readFileSync(new URL('Containerfile', EXAMPLES), 'utf8').replaceAll('\\\n', ' ');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const instructions = lines.map((line) => line.split(' ')[0]);
  assert.equal(instructions, ['FROM', 'ENV', 'WORKDIR', 'RUN', 'USER', 'ENTRYPOINT', 'CMD']);
  assert.match(lines[0]!, /^FROM [\w.]+\/[\w/]+\/node:\d+-slim$/);
  assert.not.match(text, /sudo|curl|:latest|ADD /);
  assert.match(text, /^USER (?!root)\w+$/m);
  for (const [, list = ''] of text.matchAll(/^(?:ENTRYPOINT|CMD) (.*)$/gm))
    assert.ok(Array.isArray(JSON.parse(list)));
});

test.run();
