import { type Browser, chromium } from 'playwright-core';

/** A browser as the tests drive it: what WebDriver, too, can do. */
export interface Engine {
  /** Tabs of one engine share storage. */
  openTab(): Promise<Tab>;
  close(): Promise<void>;
}

export interface Tab {
  /** Loads a page, anew if it is there already. */
  goto(url: string): Promise<void>;
  /**
   * The value of an expression in the page, or of the promise that it gives, as far as JSON can hold it.
   * @throws an error with the message of what the expression throws
   */
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

/** How long a browser may take to start, and a page for anything that is waited for: on a busy machine, both take their time. */
export const PATIENCE_MS = 120_000;

/** Debian's place for it; another Chromium can be named. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export interface ChromiumOptions {
  /** With a WebGPU that computes on the processor. */
  readonly webgpu?: boolean;
}

export function launchChromium({ webgpu = false }: ChromiumOptions = {}): Promise<Browser> {
  const graphics = webgpu
    ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
    : ['--disable-gpu'];
  return chromium.launch({
    executablePath: CHROMIUM,
    timeout: PATIENCE_MS,
    args: ['--no-sandbox', ...graphics, '--disable-background-networking', '--disable-component-update'],
  });
}

/** A module that drives another browser. */
interface Driver {
  launch(): Promise<Engine>;
  /** What the tests use elsewhere, and this browser does not have. */
  readonly lacks?: readonly ('opfs' | 'byte streams' | 'transferable streams')[];
}

/** The variable BROWSER_DRIVER names a driver by its URL. Default: Chromium. */
const driver: Driver =
  process.env.BROWSER_DRIVER === undefined
    ? { launch: async () => chromiumEngine(await launchChromium()) }
    : await import(process.env.BROWSER_DRIVER);

export function launchEngine(): Promise<Engine> {
  return driver.launch();
}

/** Whether the browser has an origin-private file system. */
export const HAS_OPFS = !driver.lacks?.includes('opfs');

/** Whether its streams have byte readers. */
export const HAS_BYTE_STREAMS = !driver.lacks?.includes('byte streams');

/** Whether its streams can be transferred. */
export const HAS_TRANSFERABLE_STREAMS = !driver.lacks?.includes('transferable streams');

export async function chromiumEngine(browser: Browser): Promise<Engine> {
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE_MS);
  return {
    async openTab() {
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error('page:', error.message));
      return {
        async goto(url) {
          await page.goto(url);
        },
        evaluate: (expression) => page.evaluate(expression),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}
