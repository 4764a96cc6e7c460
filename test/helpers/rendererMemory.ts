import { readdir, readFile } from 'node:fs/promises';

/**
 * Bytes of memory (the proportional set size) of the largest renderer of the browsers that this process has started.
 * Only on Linux.
 */
export async function rendererMemory(): Promise<number> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (Number.isNaN(pid)) continue;
    const status = await readProc(pid, 'status');
    parents.set(pid, Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0));
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === process.pid || isOurs(parents.get(pid)));
  let largest = 0;
  for (const pid of parents.keys()) {
    if (!isOurs(pid) || !(await readProc(pid, 'cmdline')).includes('--type=renderer')) continue;
    const kibibytes = /^Pss:\s+(\d+)/m.exec(await readProc(pid, 'smaps_rollup'))?.[1] ?? 0;
    largest = Math.max(largest, 1024 * Number(kibibytes));
  }
  return largest;
}

/** Empty where the process has ended. */
function readProc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}

/** The largest memory of a renderer while work is done, over that before it. */
export async function memoryPeak(work: () => Promise<unknown>): Promise<number> {
  const before = await rendererMemory();
  let peak = before;
  let goesOn = true;
  const watching = (async () => {
    while (goesOn) {
      peak = Math.max(peak, await rendererMemory());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  try {
    await work();
  } finally {
    goesOn = false;
    await watching;
  }
  // The last look may have been long before the end.
  return Math.max(peak, await rendererMemory()) - before;
}
