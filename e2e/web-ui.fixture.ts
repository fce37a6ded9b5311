import { join } from 'node:path';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { type Browser, chromium, type Page } from 'playwright-core';

const OPTIONS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
  // The program sends no request outside of this machine.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];
/** ms */
const SHOWN_LIMIT = 60_000;

/** A browser for Temporal's Web UI. @param executablePath of Chromium */
export async function openBrowser(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: OPTIONS });
}

export async function newPage(browser: Browser): Promise<Page> {
  return await browser.newPage({ viewport: { width: 1400, height: 1000 } });
}

/** Waits until the page shows some words, and keeps a picture of it. @returns the text of the whole page */
export async function textOnceItShows(page: Page, words: string, picture: string): Promise<string> {
  await page.getByText(words).first().waitFor({ timeout: SHOWN_LIMIT });
  await page.screenshot({ path: join(outputFolder, picture) });
  return await page.locator('body').innerText();
}
