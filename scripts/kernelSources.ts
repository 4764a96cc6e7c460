import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

const ASSEMBLY = 'src/kernels/assembly';
const GENERATED = 'src/kernels/wasm';

/** One subject of kernels: an entry file directly in `assembly/`, and the module made from it. */
export interface KernelSubject {
  readonly name: string;
  readonly entry: string;
  readonly generated: string;
}

export async function kernelSubjects(): Promise<KernelSubject[]> {
  const files = (await readdir(ASSEMBLY)).filter((file) => file.endsWith('.ts')).sort();
  return files.map((file) => {
    const name = file.slice(0, -'.ts'.length);
    return { name, entry: `${ASSEMBLY}/${file}`, generated: `${GENERATED}/${name}.generated.ts` };
  });
}

/**
 * SHA-256 over all that decides a subject's wasm: its entry, the folder of the same name beside it, what subjects share,
 * the compiler's version. It stands in the generated module, so that a module which its sources have left behind is noticed without
 * compiling.
 */
export async function sourceHash({ name, entry }: KernelSubject): Promise<string> {
  const hash = createHash('sha256');
  const compiler = JSON.parse(await readFile('node_modules/assemblyscript/package.json', 'utf8'));
  hash.update(`assemblyscript ${compiler.version}\n`);
  const files = [entry, ...(await filesIn(`${ASSEMBLY}/${name}`)), ...(await filesIn(`${ASSEMBLY}/shared`))];
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex');
}

async function filesIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder)).sort().map((file) => `${folder}/${file}`);
}
