import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NetworkName } from './networks.js';
import type { ServerRequest, ServerState } from './serverProcess.js';

/** Compiled beside this one. */
const SCRIPT = fileURLToPath(new URL('serverProcess.js', import.meta.url));

/** A server in a process of its own, whose files can be asked for over any of the networks. */
export class SoakServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #port: number;

  static async start(files: ReadonlyMap<string, Uint8Array>): Promise<SoakServer> {
    const child = fork(SCRIPT, { serialization: 'advanced' });
    const { port } = await ask(child, { kind: 'serve', files });
    return new SoakServer(child, port!);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  /** Of the folder that has all files. @param seed of the faults; the same one continues where it was */
  urlOf(network: NetworkName, seed: number): string {
    return `http://127.0.0.1:${this.#port}/${network}-${seed}/`;
  }

  /** Closes connections without a request. @param forget no job of before sends another request */
  look({ forget = false } = {}): Promise<ServerState> {
    return ask(this.#child, { kind: 'look', forget });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

async function ask(child: ChildProcess, request: ServerRequest): Promise<ServerState> {
  // It may end before it replies.
  const ended = new AbortController();
  const replied = once(child, 'message', { signal: ended.signal });
  const end = () => ended.abort(new Error('the server has ended'));
  child.once('exit', end);
  child.send(request);
  try {
    const [state] = (await replied) as [ServerState];
    return state;
  } finally {
    child.off('exit', end);
  }
}
