import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failed, ok, runCli, temporaryFolder } from '../helpers/cli.js';
import { npyOf } from '../helpers/npyFiles.js';
import { noise } from '../helpers/random.js';

const test = suite('command line: NumPy files');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/inputs/${name}`, import.meta.url));

const bytesOf = (values: Float32Array | Float64Array | BigInt64Array) => new Uint8Array(values.buffer);
const COUNT = Float32Array.from({ length: 24 }, (_, i) => i);

async function decoded(file: string): Promise<Buffer> {
  return ok(await runCli(['decode', at(file), '-o', '-']));
}

async function described(file: string): Promise<unknown> {
  const { dtype, shape } = JSON.parse(ok(await runCli(['inspect', at(file), '--json'])).toString());
  return { dtype, shape };
}

test('encoded to HCT: either byte order, Fortran order, half precision, no dimensions', async () => {
  for (const [name, dtype, shape] of [
    ['w_f4.npy', 'F32', [2, 3]],
    ['w_be.npy', 'F32', [2, 3]],
    ['w_fortran.npy', 'F32', [2, 3]],
    ['npy/f2-be.npy', 'F16', [2, 3]],
    ['npy/i1.npy', 'I8', [5]],
    ['w_f2_0d.npy', 'F16', []],
  ] as const) {
    ok(await runCli(['encode', fixture(name), '-o', at('w.hct')]));
    assert.equal(await described('w.hct'), { dtype, shape }, name);
    if (dtype === 'F32') assert.equal(await decoded('w.hct'), Buffer.from(COUNT.buffer, 0, 24), name);
  }
  assert.equal(await decoded('w.hct'), Buffer.from(Uint16Array.of(0x3e00).buffer));
});

test('from a pipe, and through a pipe back to what NumPy reads', async () => {
  const values = noise(300 * 70);
  for (const fortran of [false, true]) {
    const file = npyOf('f4', [300, 70], bytesOf(values), { fortran, bigEndian: true });
    const encoded = ok(await runCli(['encode', '-', '-o', '-'], { input: file }));
    writeFileSync(at('piped.hct'), encoded);
    ok(await runCli(['decode', at('piped.hct'), '-o', at('back.npy')]));
    assert.equal(readFileSync(at('back.npy')).subarray(-values.byteLength), Buffer.from(values.buffer));
    ok(await runCli(['encode', at('back.npy'), '-o', at('again.hct')]));
    assert.equal(await decoded('again.hct'), Buffer.from(values.buffer));
  }
});

test('encoded to a HoloTensor, and compared with it', async () => {
  const values = noise(64 * 48);
  writeFileSync(at('w.npy'), npyOf('f8', [64, 48], bytesOf(Float64Array.from(values)), { fortran: true }));
  ok(await runCli(['encode', at('w.npy'), '-o', at('w.holo')]));
  assert.equal(await described('w.holo'), { dtype: 'F32', shape: [64, 48] });
  const shown = JSON.parse(
    ok(await runCli(['quality', at('w.holo'), '--against', at('w.npy'), '--json'])).toString(),
  );
  assert.is(shown.prefixes.at(-1).measured.cosine, 1);
});

test('dtypes that HCT has not become F32, where that holds them exactly', async () => {
  for (const name of ['f8-be-fortran', 'i8', 'u2-be-v2', 'b1']) {
    ok(await runCli(['encode', fixture(`npy/${name}.npy`), '-o', at('x.hct')]));
    const { dtype, shape } = (await described('x.hct')) as { dtype: string; shape: number[] };
    assert.is(dtype, 'F32', name);
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    const expected = name === 'b1' ? COUNT.map((i) => i % 2) : COUNT;
    assert.equal(await decoded('x.hct'), Buffer.from(expected.buffer, 0, 4 * count), name);
  }
});

test('elements that F32 cannot hold are refused, or rounded by --dtype F32', async () => {
  const halves = Float64Array.of(1, 1 + 2 ** -30);
  const long = BigInt64Array.of(1n, 2n ** 24n + 1n);
  for (const [name, type, values, expected] of [
    ['f.npy', 'f8', halves, Float32Array.of(1, 1)],
    ['i.npy', 'i8', long, Float32Array.of(1, 2 ** 24)],
  ] as const) {
    writeFileSync(at(name), npyOf(type, [2], bytesOf(values)));
    failed(
      await runCli(['encode', at(name), '-o', at('no.hct')]),
      1,
      /F32 cannot hold all of its .* --dtype F32/,
    );
    ok(await runCli(['encode', at(name), '-o', at('yes.hct'), '--dtype', 'F32']));
    assert.equal(await decoded('yes.hct'), Buffer.from(expected.buffer));
  }
  ok(await runCli(['encode', fixture('npy/f2-be.npy'), '-o', at('wide.hct'), '--dtype', 'F32']));
  assert.equal(await described('wide.hct'), { dtype: 'F32', shape: [2, 3] });
});

test('an archive with one array is encoded as this array', async () => {
  ok(await runCli(['encode', fixture('w.npz'), '-o', at('archived.hct')]));
  assert.equal(await described('archived.hct'), { dtype: 'F32', shape: [6] });
});

test('what does not fit is refused, and nothing is left', async () => {
  const path = fixture('w_f4.npy');
  const out = ['-o', at('none.hct')];
  failed(await runCli(['encode', path, ...out, '--dtype', 'I8']), 2, /--dtype of a NumPy file of F32 is F32/);
  failed(await runCli(['encode', path, ...out, '--tensor', 'w']), 2, /--tensor is for safetensors files/);
  failed(
    await runCli(['encode', '-', ...out, '--tensor', 'w'], { input: readFileSync(path) }),
    2,
    /--tensor is for/,
  );
  failed(
    await runCli(['encode', fixture('npy/c8-be.npy'), ...out]),
    1,
    /Cannot convert elements of dtype C64/,
  );
  for (const output of ['none.holo.safetensors', 'none/']) {
    const refused = await runCli(['encode', path, '-o', `${folder}/${output}`]);
    failed(refused, 2, /has one array: end the output .* with \.hct or \.holo$/m);
    assert.not(existsSync(at(output)), output);
  }
  failed(await runCli(['bench', path]), 2, /A NumPy file has one array/);
  const cut = readFileSync(path).subarray(0, -1);
  writeFileSync(at('cut.npy'), cut);
  failed(await runCli(['encode', at('cut.npy'), ...out]), 1, /shorter than its header says/);
  failed(await runCli(['encode', '-', ...out], { input: cut }), 1, /ends within its elements/);
  failed(await runCli(['decode', at('none.hct'), '-o', '-']), 1, /none\.hct/);
});

test.run();
