import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

const KERNELS = 'src/kernels';

/** One wasm module: its entry among the assembly files of its subject, and the TypeScript module made from it. */
export interface KernelModule {
  readonly name: string;
  readonly subject: string;
  readonly other: string | undefined;
  readonly entry: string;
  readonly generated: string;
}

/** Each module, the folder of its subject, and that of another whose assembly it imports. */
const MODULES: readonly (readonly [name: string, subject: string, other?: string])[] = [
  ['dct', 'dct'],
  ['embedded', 'embedded'],
  ['embeddedEncode', 'embedded'],
  ['float', 'float'],
  ['gaussian', 'gaussian'],
  ['linear', 'linear'],
  ['lz4', 'lz4'],
  ['lz4Encode', 'lz4'],
  ['sum', 'linear'],
  ['xxh3', 'xxh3'],
  ['zstd', 'zstd', 'lz4'],
];

export const KERNEL_MODULES: readonly KernelModule[] = MODULES.map(([name, subject, other]) => ({
  name,
  subject,
  other,
  entry: `${KERNELS}/${subject}/assembly/${name}.ts`,
  generated: `${KERNELS}/${subject}/wasm/${name}.generated.ts`,
}));

/**
 * SHA-256 over all that decides a module's wasm: the assembly files of its subject, of the other, and of what all subjects
 * share, and the compiler's version. It stands in the generated module, so that a module which its sources have left behind
 * is noticed without compiling.
 */
export async function sourceHash({ name, subject, other }: KernelModule): Promise<string> {
  const hash = createHash('sha256');
  const compiler = JSON.parse(await readFile('node_modules/assemblyscript/package.json', 'utf8'));
  hash.update(`assemblyscript ${compiler.version}\n${name}\n`);
  const subjects = [subject, ...(other === undefined ? [] : [other]), 'runtime'];
  for (const folder of subjects.map((each) => `${KERNELS}/${each}/assembly`)) {
    for (const file of (await readdir(folder)).sort()) hash.update(await readFile(`${folder}/${file}`));
  }
  return hash.digest('hex');
}
