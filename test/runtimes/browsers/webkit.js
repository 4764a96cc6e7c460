/** WebKitGTK's small browser for the tests of browsers, driven by WebDriver, on a display of its own. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../helpers/freePort.ts';

const BROWSER = process.env.WEBKIT ?? '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const POLL_MS = 20;

/** WebKitGTK leaves it out. */
export const lacks = ['opfs', 'byte streams', 'transferable streams'];

export async function launch() {
  const screen = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  await once(screen, 'spawn');
  const [number] = await once(screen.stdio[3], 'data');
  const port = await freePort();
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    // Isolated pages have shared memory in Safari; here they must be given it.
    env: { ...process.env, DISPLAY: `:${String(number).trim()}`, JSC_useSharedArrayBuffer: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(driver, 'spawn');
  // Neither outlives this process, even when the test fails.
  process.on('exit', () => {
    driver.kill();
    screen.kill();
  });

  const server = `http://127.0.0.1:${port}`;
  while (!(await isUp(server))) {
    if (driver.exitCode !== null) throw new Error(`WebKitWebDriver ended with ${driver.exitCode}`);
    await delay(POLL_MS);
  }
  const { sessionId } = await command(`${server}/session`, {
    capabilities: {
      alwaysMatch: { 'webkitgtk:browserOptions': { binary: BROWSER, args: ['--automation'] } },
    },
  });
  const session = new Session(`${server}/session/${sessionId}`);
  return {
    openTab: () => session.openTab(),
    async close() {
      await session.end();
      driver.kill();
      await once(driver, 'exit');
      screen.kill();
      await once(screen, 'exit');
    },
  };
}

/** Its commands go to one tab at a time, so what takes long is started by one of them and asked for by others. */
class Session {
  #url;
  #last = Promise.resolve();
  #calls = 0;
  #window;

  constructor(url) {
    this.#url = url;
  }

  async openTab() {
    // The window that the session begins with stays: without any, the session ends.
    this.#window ??= await this.#inTurn(() => command(`${this.#url}/window`));
    const { handle } = await this.#in(this.#window, 'window/new', { type: 'tab' });
    return {
      goto: (url) => this.#in(handle, 'url', { url }),
      evaluate: (expression) => this.#evaluate(handle, expression),
      close: () => this.#in(handle, 'window', undefined, 'DELETE'),
    };
  }

  end() {
    return this.#inTurn(() => command(this.#url, undefined, 'DELETE'));
  }

  async #evaluate(handle, expression) {
    const place = `webdriverCall${this.#calls++}`;
    const run = (script) => this.#in(handle, 'execute/sync', { script, args: [] });
    await run(`
      globalThis.${place} = {};
      Promise.resolve().then(() => (${expression})).then(
        (value) => { globalThis.${place} = { value, done: true }; },
        (error) => { globalThis.${place} = { error: String(error?.message ?? error), done: true }; },
      );
    `);
    for (;;) {
      const { done, value, error } = await run(`return globalThis.${place}`);
      if (error !== undefined) throw new Error(error);
      if (done) return value;
      await delay(POLL_MS);
    }
  }

  #in(handle, name, body, method) {
    return this.#inTurn(async () => {
      await command(`${this.#url}/window`, { handle });
      return command(`${this.#url}/${name}`, body, method);
    });
  }

  #inTurn(work) {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

async function command(url, body, method = body === undefined ? 'GET' : 'POST') {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (value?.error !== undefined && !response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

async function isUp(server) {
  try {
    return (await fetch(`${server}/status`)).ok;
  } catch {
    return false;
  }
}

function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
