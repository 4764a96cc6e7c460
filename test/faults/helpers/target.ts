import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';

/** What a target holds before and after. */
export type Version = 'old' | 'new';

/** A file or folder that is replaced, in a folder of its own with nothing else in it. */
export class Target {
  readonly path: string;
  readonly folder: string;
  readonly #name: string;
  readonly #digests = new Map<string, Version>();
  readonly #kept: string;

  /**
   * @param folder new; made here
   * @param keep where the old version is kept; default in the same folder
   */
  constructor(folder: string, name: string, keep = folder) {
    this.#name = name.replace(/\/$/, '');
    this.folder = join(folder, 'here');
    this.#kept = join(keep, 'kept');
    this.path = join(this.folder, name);
    mkdirSync(this.folder, { recursive: true });
  }

  /** What is there now is this version. */
  learn(version: Version): void {
    this.#digests.set(this.#digest()!, version);
    assert.is(this.#digests.size, version === 'old' ? 1 : 2, 'the versions differ');
    if (version === 'old') cpSync(this.path, this.#kept, { recursive: true });
  }

  /** Only the old version is there, or nothing. */
  reset(to: 'old' | 'nothing'): void {
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true });
    if (to === 'old') cpSync(this.#kept, this.path, { recursive: true });
  }

  /** Which version is there, whole; undefined where nothing is. Fails for anything else. */
  version(): Version | undefined {
    const digest = this.#digest();
    if (digest === undefined) return undefined;
    const version = this.#digests.get(digest);
    assert.ok(version !== undefined, 'the target is neither the old one nor the new one');
    return version;
  }

  /** Whatever is beside the target. */
  leftovers(): string[] {
    return readdirSync(this.folder).filter((name) => name !== this.#name);
  }

  #digest(): string | undefined {
    const found = statSync(this.path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    const hash = createHash('sha256');
    const files = found.isDirectory() ? readdirSync(this.path).sort() : [''];
    for (const name of files) hash.update(`${name}\n`).update(readFileSync(join(this.path, name)));
    return hash.digest('hex');
  }
}
