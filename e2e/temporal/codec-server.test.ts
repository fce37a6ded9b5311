import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { newPage, openBrowser, textOnceItShows } from '../web-ui.fixture.ts';
import type { echo } from './app/workflows.ts';
import { startCodecServer } from './codec-server.fixture.ts';
import { show } from './summary.fixture.ts';
import { useTestBed } from './workflow-setup.fixture.ts';

const use = useTestBed('codec-server');
const taskQueue = 'codec server';

/** Larger than the codec's threshold, small enough to be shown in full. */
const order = invoiceOf('small order', 5_000);
/** Larger than the codec server shows in full. */
const catalogue = invoiceOf('large catalogue', 100_000);
beforeAll(async () => {
  const { bed } = use;
  await bed.startWorker({ taskQueue });
  await startCodecServer(bed);
  for (const [workflowId, document] of Object.entries({ order, catalogue })) {
    await bed.client().workflow.execute<typeof echo>('echo', { workflowId, taskQueue, args: [document] });
  }
});

test('the CLI shows references when it has no codec server', async () => {
  expect(await resultShownByCli('order')).toMatchObject({ metadata: { 'temporal.io/remote-codec': 'djI=' } });
});

test('the CLI shows a payload', async () => {
  const shown = await resultShownByCli('order', '--codec-endpoint', use.bed.suite.codecServer.url);
  expect(shown).toEqual(order);
  shows('CLI', order, 'shown in full');
});

test('the CLI shows the beginning and the size of a payload that is too large to be shown', async () => {
  const shown = await resultShownByCli('catalogue', '--codec-endpoint', use.bed.suite.codecServer.url);
  const { size, preview } = (shown as { largePayload: { size: number; preview: string } }).largePayload;
  const whole = JSON.stringify(catalogue);
  expect(size).toBe(whole.length);
  expect(preview).toContain('large catalogue');
  expect(whole.startsWith(preview)).toBe(true);
  shows('CLI', catalogue, `size and the first ${preview.length} bytes shown`);
});

test("Temporal's Web UI shows a payload, and the beginning of one that is too large", async () => {
  const browser = await openBrowser(use.bed.suite.chromium);
  try {
    const page = await newPage(browser);
    const orderPage = await textOfWorkflowPage(page, 'order', '"article": "A-1"');
    expect(orderPage).toContain('"title": "small order"');
    shows('Web UI', order, 'shown in full; screenshot in e2e/.output');
    const cataloguePage = await textOfWorkflowPage(page, 'catalogue', '"largePayload"');
    expect(cataloguePage).toContain(`"size": ${JSON.stringify(catalogue).length}`);
    shows('Web UI', catalogue, 'size and beginning shown; screenshot in e2e/.output');
  } finally {
    await browser.close();
  }
});

/** The workflow's result at the end of the output of `temporal workflow show`. */
async function resultShownByCli(workflowId: string, ...options: string[]): Promise<unknown> {
  const { cli, address } = use.bed.suite;
  const args = ['workflow', 'show', '--workflow-id', workflowId, '--address', address, ...options];
  const { stdout } = await promisify(execFile)(cli, args, { maxBuffer: 100e6 });
  const [, result] = /^ +Result +(.*)$/m.exec(stdout) ?? [];
  if (result === undefined) throw new Error(`no result in ${stdout.slice(0, 2_000)}`);
  return JSON.parse(result);
}

/** The page of that workflow once it shows the text. */
async function textOfWorkflowPage(page: Page, workflowId: string, words: string): Promise<string> {
  const { runId } = await use.bed.client().workflow.getHandle(workflowId).describe();
  await page.goto(`${use.bed.suite.uiUrl}/namespaces/default/workflows/${workflowId}/${runId}/history`);
  return await textOnceItShows(page, words, `web-ui-${workflowId}.png`);
}

function shows(by: string, document: unknown, outcome: string): void {
  const payloads = `${(JSON.stringify(document).length / 1e6).toFixed(1)} MB`;
  show({ what: `${by} with the codec server`, payloads, outcome });
}

function invoiceOf(title: string, count: number): object {
  const lines = Array.from({ length: count }, (_, index) => ({
    article: `A-${index}`,
    quantity: 1 + (index % 7),
    cents: (index * 7_919) % 50_000,
  }));
  return { title, lines };
}
