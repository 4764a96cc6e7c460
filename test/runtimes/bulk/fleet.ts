import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { JobOutcome } from '../../../bulk/index.js';
import { freePort } from '../../helpers/freePort.js';
import type { Project } from '../helpers/project.js';

/** Processes of a fleet: Redis, workers. All end with this process. */

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function start(command: string, args: readonly string[], folder: string, variables: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...variables } });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

async function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!running.has(child)) return;
  child.kill(signal);
  await once(child, 'close');
}

export interface Redis extends AsyncDisposable {
  readonly url: string;
  restart(): Promise<void>;
}

/** A Redis that loses nothing when it restarts. */
export async function redis(folder: string): Promise<Redis> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes'];
  const safe = ['--appendfsync', 'always', '--maxmemory-policy', 'noeviction'];
  const up = async () => {
    const child = start('redis-server', [...args, ...safe], folder);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    while (!(await answers(port))) {
      if (!running.has(child)) throw new Error(`redis-server ended:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return child;
  };
  let child = await up();
  return {
    url: `redis://127.0.0.1:${port}`,
    async restart() {
      await stopped(child, 'SIGTERM');
      child = await up();
    },
    [Symbol.asyncDispose]: () => stopped(child, 'SIGTERM'),
  };
}

/** Whether it takes commands: one that still reads its data takes connections only. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A process of `holostream bulk`. */
export class FleetProcess {
  protected readonly child: ReturnType<typeof start>;
  #errors = '';

  constructor(project: Project, args: readonly string[], variables: NodeJS.ProcessEnv) {
    const command = join(project.folder, 'node_modules/.bin/holostream');
    this.child = start(command, ['bulk', ...args], project.folder, variables);
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk;
    });
  }

  get errors(): string {
    return this.#errors;
  }

  async ended(): Promise<number | null> {
    if (running.has(this.child)) await once(this.child, 'close');
    return this.child.exitCode;
  }

  stop(signal: NodeJS.Signals): Promise<void> {
    return stopped(this.child, signal);
  }
}

/** A worker process, and what it has said. */
export class FleetWorker extends FleetProcess {
  readonly outcomes: JobOutcome[] = [];

  constructor(project: Project, args: readonly string[], variables: NodeJS.ProcessEnv) {
    super(project, ['work', ...args], variables);
    let rest = '';
    this.child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.outcomes.push(JSON.parse(line) as JobOutcome);
    });
  }

  /** Waits until it has done this many jobs, or has ended. */
  async jobs(count: number): Promise<void> {
    while (this.outcomes.length < count && running.has(this.child))
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
