/** One worker, of the kind that the engine has. */
export interface Thread {
  post(request: unknown, transfer: readonly ArrayBufferLike[]): void;
  /** In Node: whether the process waits for this thread. */
  keepAlive(busy: boolean): void;
  stop(): void;
}

export interface ThreadEvents {
  message(data: unknown): void;
  /** It could not start, or it died. */
  crash(cause: unknown): void;
}

/** @param url the worker script; default the one beside this module */
export function startThread(url: string | URL | undefined, events: ThreadEvents): Thread {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  return node ? startNodeThread(node, url, events) : startWebThread(url, events);
}

function startWebThread(url: string | URL | undefined, { message, crash }: ThreadEvents): Thread {
  const script = url ?? borrowedScript();
  const worker =
    script === undefined
      ? // Bundlers recognize this exact form, and bundle the script.
        new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
      : new Worker(script, { type: 'module' });
  worker.onmessage = ({ data }) => message(data);
  worker.onerror = (event) => {
    event.preventDefault();
    // For a script that cannot be loaded, browsers give no reason.
    crash(event.error ?? new Error(event.message || 'the worker script cannot be loaded'));
  };
  worker.onmessageerror = () => crash(new Error('a message could not be read'));
  return {
    post: (request, transfer) => worker.postMessage(request, transfer as ArrayBuffer[]),
    keepAlive: () => {},
    stop: () => worker.terminate(),
  };
}

let borrowed: string | undefined;

/** For code from another origin, such as a CDN: its script cannot be a worker, but a worker can import it. */
function borrowedScript(): string | undefined {
  const own = import.meta.url;
  if (!/^https?:/.test(own) || new URL(own).origin === globalThis.location.origin) return undefined;
  const beside = own.replace(/[^/]*$/, 'worker.js');
  borrowed ??= URL.createObjectURL(
    new Blob([`import ${JSON.stringify(beside)};`], { type: 'text/javascript' }),
  );
  return borrowed;
}

function startNodeThread(
  { Worker }: typeof import('node:worker_threads'),
  url: string | URL | undefined,
  { message, crash }: ThreadEvents,
): Thread {
  // Bundlers that see `new URL(…, import.meta.url)` copy the script without its imports; they leave this form alone,
  // and their replacement of `import.meta.url` on a server still leads to the package's own script.
  const beside = import.meta.url.replace(/[^/]*$/, 'worker.js');
  // Flags of the process (--input-type, --import, …) are not for this script.
  const worker = new Worker(new URL(url ?? beside), { execArgv: [] });
  worker.on('message', message);
  worker.on('messageerror', crash);
  // An error can overtake messages that were sent before it, such as the greeting; the exit comes after all of them.
  let cause: unknown;
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', (code) => crash(cause ?? new Error(`the worker ended with code ${code}`)));
  worker.unref();
  return {
    post: (request, transfer) => worker.postMessage(request, transfer as ArrayBuffer[]),
    keepAlive: (busy) => (busy ? worker.ref() : worker.unref()),
    stop: () => void worker.terminate(),
  };
}
