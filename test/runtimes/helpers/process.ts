import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A command that takes this long hangs. */
const TIMEOUT_MS = 240_000;

/** No colours, no questions, no news about the tools. */
const environment = {
  ...process.env,
  FORCE_COLOR: '0',
  NO_COLOR: '1',
  CI: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  DENO_NO_UPDATE_CHECK: '1',
};

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) kill(child);
});

export interface Server extends AsyncDisposable {
  readonly url: string;
}

/**
 * Runs a command to its end.
 * @returns what it wrote to standard output
 * @throws when it fails; then all that it wrote is printed
 */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  variables: NodeJS.ProcessEnv = {},
): Promise<string> {
  const { child, output } = start(command, args, cwd, variables);
  const timer = setTimeout(() => kill(child), TIMEOUT_MS);
  const code = await ended(child);
  clearTimeout(timer);
  if (code !== 0) {
    console.error(output.all);
    throw new Error(`${[command, ...args].join(' ')} ended with ${code}`);
  }
  return output.stdout;
}

/** Starts a command that serves until it is stopped, and waits until it has printed where. */
export async function serve(command: string, args: readonly string[], cwd: string): Promise<Server> {
  const { child, output } = start(command, args, cwd);
  const end = ended(child);
  const timer = setTimeout(() => kill(child), TIMEOUT_MS);
  const up = new Promise<string>((resolve) => {
    const look = () => {
      // With what follows it: a chunk may end in the middle of a number.
      const [, url] = /(http:\/\/(?:localhost|127\.0\.0\.1):\d+)[^\d]/.exec(output.all) ?? [];
      if (url !== undefined) resolve(`${url}/`);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
  });
  const url = await Promise.race([up, end.then(() => undefined)]);
  clearTimeout(timer);
  if (url === undefined) throw new Error(`${[command, ...args].join(' ')} serves nothing:\n${output.all}`);
  return {
    url,
    async [Symbol.asyncDispose]() {
      kill(child);
      await end;
    },
  };
}

function start(command: string, args: readonly string[], cwd: string, variables: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...environment, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: what it starts ends with it.
    detached: true,
  });
  running.add(child);
  const output = { stdout: '', all: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
    output.all += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.all += chunk;
  });
  return { child, output };
}

/** The exit code, or the signal that ended it. */
async function ended(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  running.delete(child);
  return code ?? signal ?? 'nothing';
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined || !running.has(child)) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
