/**
 * Compiles every subject of `src/kernels/assembly` to a TypeScript module that holds its wasm.
 * usage: npm run build:kernels [-- NAME…]    some or all
 *        npm run build:kernels -- --check    writes nothing, fails when a committed module differs
 */
import { readFile, writeFile } from 'node:fs/promises';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import asc from 'assemblyscript/asc';
import { type KernelSubject, kernelSubjects, sourceHash } from './kernelSources.js';

const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];
/** Where the compiler may also mind the size: it costs no time there, and a browser loads all of them. */
const COMPACT = ['zstd'];

async function compile({ name, entry }: KernelSubject): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const flags = COMPACT.includes(name) ? [...FLAGS, '--shrinkLevel', '1'] : FLAGS;
  const { error, stderr } = await asc.main([entry, ...flags, '--outFile', 'kernel.wasm'], {
    writeFile: (_file: string, contents: string | Uint8Array) => {
      if (typeof contents !== 'string') wasm = contents;
    },
  });
  if (error || wasm === undefined) throw new Error(`${name}: ${stderr.toString()}`, { cause: error });
  return wasm;
}

/** Compiled by callers that cannot wait for a stream to inflate them. */
const STORED_PLAIN = ['embeddedEncode', 'linear'];

function pack(name: string, wasm: Uint8Array): Buffer {
  return STORED_PLAIN.includes(name) ? Buffer.from(wasm) : deflateRawSync(wasm, { level: 9 });
}

function unpack(name: string, bytes: Buffer): Buffer {
  return STORED_PLAIN.includes(name) ? bytes : inflateRawSync(bytes);
}

async function moduleText(subject: KernelSubject, wasm: Uint8Array): Promise<string> {
  const constant = `${subject.name.replace(/[A-Z]/g, '_$&').toUpperCase()}_WASM`;
  return [
    `// Made by \`npm run build:kernels\` from ${subject.entry}: do not edit.`,
    `// sources ${await sourceHash(subject)}`,
    `export const ${constant} =`,
    `  '${pack(subject.name, wasm).toString('base64')}';`,
    '',
  ].join('\n');
}

/** Whether the committed module holds this wasm, made of these sources. How it is deflated may differ by Node. */
async function isCurrent(subject: KernelSubject, wasm: Uint8Array): Promise<boolean> {
  const text = await readFile(subject.generated, 'utf8').catch(() => '');
  const [, base64 = ''] = /'([A-Za-z0-9+/=]+)'/.exec(text) ?? [];
  try {
    return (
      text.includes(await sourceHash(subject)) &&
      unpack(subject.name, Buffer.from(base64, 'base64')).equals(wasm)
    );
  } catch {
    return false;
  }
}

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const check = process.argv.includes('--check');
for (const subject of await kernelSubjects()) {
  if (names.length > 0 && !names.includes(subject.name)) continue;
  const wasm = await compile(subject);
  if (await isCurrent(subject, wasm)) continue;
  if (check) {
    console.error(`${subject.generated} differs from what ${subject.entry} compiles to`);
    process.exitCode = 1;
  } else {
    const text = await moduleText(subject, wasm);
    await writeFile(subject.generated, text);
    console.log(`${subject.generated}: ${text.length} characters`);
  }
}
