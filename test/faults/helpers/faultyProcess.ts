/**
 * Loaded into a process before its program: sends the process a signal at its n-th change of files, in the middle of it
 * if that is a write. The environment says which: FAULT_AT, FAULT_SIGNAL. FAULT_COUNT names a file that gets the number
 * of changes.
 */
import { writeFileSync } from 'node:fs';
import { injectFaults } from './injectedFs.js';

const { FAULT_AT, FAULT_SIGNAL = 'SIGKILL', FAULT_COUNT } = process.env;
let changes = 0;

injectFaults(async ({ changes: isChange, run, runPartly }) => {
  if (!isChange || changes++ !== Number(FAULT_AT ?? -1)) return run();
  if (FAULT_SIGNAL === 'SIGKILL') await runPartly();
  process.kill(process.pid, FAULT_SIGNAL as NodeJS.Signals);
  return run();
});

if (FAULT_COUNT !== undefined) process.on('exit', () => writeFileSync(FAULT_COUNT, String(changes)));
