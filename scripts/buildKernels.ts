/**
 * Compiles the assembly of every kernel module to a TypeScript module that holds its wasm.
 * usage: npm run build:kernels [-- NAME…]    some or all
 *        npm run build:kernels -- --check    writes nothing, fails when a committed module differs
 */
import { readFile, writeFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import asc from 'assemblyscript/asc';
import { deflate } from './deflate.js';
import { KERNEL_MODULES, type KernelModule, sourceHash } from './kernelSources.js';

const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];
/** Where the compiler may also mind the size: it costs no time there, and a browser loads all of them. */
const COMPACT = ['zstd'];

async function compile({ name, entry }: KernelModule): Promise<Uint8Array> {
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

async function pack(name: string, wasm: Uint8Array): Promise<Buffer> {
  return STORED_PLAIN.includes(name) ? Buffer.from(wasm) : deflate(wasm);
}

function unpack(name: string, bytes: Buffer): Buffer {
  return STORED_PLAIN.includes(name) ? bytes : inflateRawSync(bytes);
}

async function moduleText(module: KernelModule, wasm: Uint8Array): Promise<string> {
  const constant = `${module.name.replace(/[A-Z]/g, '_$&').toUpperCase()}_WASM`;
  const packed = await pack(module.name, wasm);
  return [
    `// Made by \`npm run build:kernels\` from ${module.entry}: do not edit.`,
    `// sources ${await sourceHash(module)}`,
    '// The type is given because declarations would otherwise repeat the text.',
    `export const ${constant}: string =`,
    `  '${packed.toString('base64')}';`,
    '',
  ].join('\n');
}

/** Whether the committed module holds this wasm, made of these sources. How it is deflated may differ. */
async function isCurrent(module: KernelModule, wasm: Uint8Array): Promise<boolean> {
  const text = await readFile(module.generated, 'utf8').catch(() => '');
  const [, base64 = ''] = /'([A-Za-z0-9+/=]+)'/.exec(text) ?? [];
  try {
    return (
      text.includes(await sourceHash(module)) &&
      unpack(module.name, Buffer.from(base64, 'base64')).equals(wasm)
    );
  } catch {
    return false;
  }
}

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const check = process.argv.includes('--check');
for (const module of KERNEL_MODULES) {
  if (names.length > 0 && !names.includes(module.name)) continue;
  const wasm = await compile(module);
  if (await isCurrent(module, wasm)) continue;
  if (check) {
    console.error(`${module.generated} differs from what ${module.entry} compiles to`);
    process.exitCode = 1;
  } else {
    const text = await moduleText(module, wasm);
    await writeFile(module.generated, text);
    console.log(`${module.generated}: ${text.length} characters`);
  }
}
