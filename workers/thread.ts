import { startTimer } from '../platform/timer.js';

/** One worker, of the kind that the engine has. */
export interface Thread {
  post(request: object, transfer: readonly ArrayBufferLike[]): void;
  /** In Node: whether the process waits for this thread. */
  keepAlive(busy: boolean): void;
  /** Ends it, soon where it may load modules. There are no more events. */
  stop(): void;
}

export interface ThreadEvents {
  /** The greeting, and one for each task. */
  message(data: unknown): void;
  /** It could not start, or it died. */
  crash(cause: unknown): void;
}

/**
 * Time in which a thread of Node that is to end may finish loading modules. Tasks that were cancelled take milliseconds to
 * end; modules, as long as the disk takes.
 */
const GRACE_MS = 10_000;

/**
 * Memory for new objects of a thread of Node. V8 takes 48 MB, most of it garbage: tasks make many small objects, and beside their
 * arrays, few that stay.
 */
const YOUNG_MB = 6;

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
  const worker = new Worker(new URL(url ?? beside), {
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  // A thread of Node that ends while it loads a module leaves the file open. It may do so until the greeting, and in tasks.
  let expected = 1;
  let stopped = false;
  let ended = false;
  let stopTimer: (() => void) | undefined;
  worker.on('message', (data) => {
    expected -= 1;
    if (!stopped) message(data);
    else if (expected === 0) worker.terminate();
  });
  worker.on('messageerror', crash);
  // An error can overtake messages that were sent before it, such as the greeting; the exit comes after all of them.
  let cause: unknown;
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', (code) => {
    ended = true;
    stopTimer?.();
    crash(cause ?? new Error(`the worker ended with code ${code}`));
  });
  worker.unref();
  return {
    post(request, transfer) {
      worker.postMessage(request, transfer as ArrayBuffer[]);
      if ('task' in request) expected += 1;
    },
    keepAlive: (busy) => (busy ? worker.ref() : worker.unref()),
    stop() {
      stopped = true;
      if (ended) return;
      worker.unref();
      if (expected === 0) worker.terminate();
      else stopTimer = startTimer(GRACE_MS, () => worker.terminate(), false);
    },
  };
}
