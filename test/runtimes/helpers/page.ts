import type { BrowserContext } from 'playwright-core';
import { type ChromiumOptions, launchChromium, PATIENCE_MS } from '../../helpers/engine.js';

/**
 * Opens a page in a Chromium of its own, and waits for its outcome.
 * @param expected errors on its console that it causes on purpose
 * @throws as {@link outcomeIn}
 */
export async function outcomeOf(
  url: string,
  options: ChromiumOptions = {},
  expected?: RegExp,
): Promise<unknown> {
  const browser = await launchChromium(options);
  try {
    return await outcomeIn(await browser.newContext(), url, expected);
  } finally {
    await browser.close();
  }
}

/**
 * Opens a page, and waits for its outcome.
 * @param context pages of one share caches
 * @throws when the page fails, or says anything that a browser reports as an error
 */
export async function outcomeIn(context: BrowserContext, url: string, expected?: RegExp): Promise<unknown> {
  const problems: string[] = [];
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  try {
    page.on('pageerror', (error) => problems.push(`${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' && !expected?.test(message.text())) problems.push(message.text());
    });
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(url);
    await page.waitForFunction('globalThis.outcome');
    const { value, error } = await page.evaluate<{ value?: unknown; error?: string }>('globalThis.outcome');
    if (error !== undefined) throw new Error(error);
    if (problems.length > 0) throw new Error('the page reported errors');
    return value;
  } catch (cause) {
    throw new Error([`Cannot run ${url}: ${cause}`, ...problems].join('\n'), { cause });
  } finally {
    await page.close();
  }
}
