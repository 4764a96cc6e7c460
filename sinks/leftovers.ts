import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Temporary files and folders are beside their target, and their names are locks: they say which process made them. What
 * a killed process leaves can be told from what a running one still writes, and taking it over is one rename, which only
 * one process can do.
 */

/** What is left: a file or folder under way, a folder put aside, encoded tensors. */
export type LeftoverKind = 'tmp' | 'partial' | 'old' | 'holostream-staging';

/** `<host>-<process id>-<start of the process>`, then a part that differs for each file. */
const OWNER = /^([0-9a-f]{8})-(\d+)-([0-9a-f]{8})-[0-9a-f]{8}$/;

/** On systems that do not tell when a process was started: its id alone decides. */
const UNKNOWN = '00000000';

/** A new path beside `target`, in the name of this process. */
export function temporaryPath(target: string, kind: LeftoverKind): string {
  const owner = `${host()}-${process.pid}-${startOf(process.pid)}-${randomUUID().slice(0, 8)}`;
  return join(dirname(target), `.${basename(target)}.${owner}.${kind}`);
}

/** Paths beside `target` that processes have left which run no more. Those of other machines are not touched. */
export async function leftoversOf(target: string, kind: LeftoverKind): Promise<string[]> {
  const [prefix, suffix] = [`.${basename(target)}.`, `.${kind}`];
  const names = await readdir(dirname(target)).catch(() => []);
  return names
    .filter((name) => {
      if (!name.startsWith(prefix) || !name.endsWith(suffix)) return false;
      const owner = OWNER.exec(name.slice(prefix.length, -suffix.length));
      return owner !== null && owner[1] === host() && !isRunning(Number(owner[2]), owner[3]!);
    })
    .map((name) => join(dirname(target), name));
}

/** Deletes a leftover, if that can be done: it may belong to another user. A run does without. */
export async function removed(path: string): Promise<boolean> {
  return rm(path, { recursive: true, force: true }).then(
    () => true,
    () => false,
  );
}

function isRunning(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (start !== UNKNOWN && now !== UNKNOWN) return now === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process that may not be signalled exists.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** When a process was started, as 8 hexadecimal digits: another process with its id, later, has others. Linux only. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name in parentheses, which may hold anything, the 20th field is the start in ticks since the boot.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return digits(`${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')} ${ticks}`);
  } catch {
    return UNKNOWN;
  }
}

function host(): string {
  try {
    return digits(hostname());
  } catch {
    // A runtime that does not let this process know.
    return UNKNOWN;
  }
}

function digits(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
