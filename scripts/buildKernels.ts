/**
 * Compiles every subject of `src/kernels/assembly` to a TypeScript module that holds its wasm.
 * usage: npm run build:kernels [-- NAME…]    some or all
 *        npm run build:kernels -- --check    writes nothing, fails when a committed module differs
 */
import { readFile, writeFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';
import { type KernelSubject, kernelSubjects, sourceHash } from './kernelSources.js';

const FLAGS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];

async function compile({ name, entry }: KernelSubject): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main([entry, ...FLAGS, '--outFile', 'kernel.wasm'], {
    writeFile: (_file: string, contents: string | Uint8Array) => {
      if (typeof contents !== 'string') wasm = contents;
    },
  });
  if (error || wasm === undefined) throw new Error(`${name}: ${stderr.toString()}`, { cause: error });
  return wasm;
}

async function moduleText(subject: KernelSubject): Promise<string> {
  const wasm = await compile(subject);
  const constant = `${subject.name.replace(/[A-Z]/g, '_$&').toUpperCase()}_WASM`;
  return [
    `// Made by \`npm run build:kernels\` from ${subject.entry}: do not edit.`,
    `// sources ${await sourceHash(subject)}`,
    `export const ${constant} =`,
    `  '${Buffer.from(wasm).toString('base64')}';`,
    '',
  ].join('\n');
}

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const check = process.argv.includes('--check');
for (const subject of await kernelSubjects()) {
  if (names.length > 0 && !names.includes(subject.name)) continue;
  const text = await moduleText(subject);
  const committed = await readFile(subject.generated, 'utf8').catch(() => undefined);
  if (text === committed) continue;
  if (check) {
    console.error(`${subject.generated} differs from what ${subject.entry} compiles to`);
    process.exitCode = 1;
  } else {
    await writeFile(subject.generated, text);
    console.log(`${subject.generated}: ${text.length} characters`);
  }
}
