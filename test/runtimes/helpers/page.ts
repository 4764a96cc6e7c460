import { type ChromiumOptions, launchChromium } from '../../helpers/engine.js';

/** Any page takes less. */
const TIMEOUT_MS = 60_000;

/**
 * Opens a page in Chromium and waits for its outcome.
 * @throws when the page fails, or says anything that a browser reports as an error
 */
export async function outcomeOf(url: string, options: ChromiumOptions = {}): Promise<unknown> {
  const browser = await launchChromium(options);
  const problems: string[] = [];
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => problems.push(`${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(url);
    await page.waitForFunction('globalThis.outcome', undefined, { timeout: TIMEOUT_MS });
    const { value, error } = await page.evaluate<{ value?: unknown; error?: string }>('globalThis.outcome');
    if (error !== undefined) throw new Error(error);
    if (problems.length > 0) throw new Error('the page reported errors');
    return value;
  } catch (cause) {
    throw new Error([`Cannot run ${url}: ${cause}`, ...problems].join('\n'), { cause });
  } finally {
    await browser.close();
  }
}
