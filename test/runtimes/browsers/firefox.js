/** Firefox for the tests of browsers, driven by WebDriver BiDi. */

import { launch as launchBrowser } from 'puppeteer-core';

export async function launch() {
  const browser = await launchBrowser({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    timeout: 120_000,
    // A call may take as long as its test.
    protocolTimeout: 0,
  });
  return {
    async openTab() {
      const page = await browser.newPage();
      page.on('pageerror', (error) => console.error('page:', error.message));
      return {
        goto: (url) => page.goto(url),
        evaluate: (expression) => page.evaluate(expression),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}
