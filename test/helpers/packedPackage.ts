import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from './cli.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface PackedPackage {
  /** The tarball that npm would publish. */
  readonly tarball: string;
  /** Where it was packed: what is published, and nothing of the repository. */
  readonly folder: string;
  /** Paths and sizes in bytes, as npm lists them. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly unpackedSize: number;
  readonly size: number;
}

let packedOnce: PackedPackage | undefined;

/** Builds the sources into a folder of its own, so that tests may run side by side, and packs what npm would publish: once. */
export function packPackage(): PackedPackage {
  packedOnce ??= buildAndPack();
  return packedOnce;
}

function buildAndPack(): PackedPackage {
  const folder = temporaryFolder();
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts', join(folder, 'dist')], {
    cwd: root,
  });
  const { files }: { files: string[] } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of ['package.json', ...files.filter((name) => name !== 'dist')]) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
  const [packed] = JSON.parse(npm(folder, 'pack', '--json', '--ignore-scripts'));
  return { ...packed, folder, tarball: join(folder, packed.filename) };
}

let installedOnce: string | undefined;

/** A project that has installed the package, and nothing else: once. */
export function installPacked(): string {
  installedOnce ??= install(packPackage());
  return installedOnce;
}

function install({ tarball }: PackedPackage): string {
  const project = temporaryFolder();
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const offline = ['--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', '--ignore-scripts'];
  npm(project, 'install', ...offline, tarball);
  return project;
}

/** Gives a project packages that this one has installed. */
export function linkPackages(project: string, ...names: readonly string[]): void {
  for (const name of names) {
    const link = join(project, 'node_modules', name);
    if (existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'dir');
  }
}

/** What a module that runs in the project prints. */
export async function runModule(
  project: string,
  code: string,
  { flags = [], args = [] }: { flags?: readonly string[]; args?: readonly string[] } = {},
): Promise<string> {
  const all = [...flags, '--input-type=module', '--eval', code, ...args];
  // The test runner asks for colours, and its children would give them.
  const env = { ...process.env, FORCE_COLOR: '0' };
  const { stdout } = await promisify(execFile)(process.execPath, all, { cwd: project, env });
  return stdout.trim();
}

export function npm(cwd: string, ...args: readonly string[]): string {
  const shell = process.platform === 'win32';
  return execFileSync('npm', args, { cwd, shell, encoding: 'utf8', stdio: 'pipe' });
}
