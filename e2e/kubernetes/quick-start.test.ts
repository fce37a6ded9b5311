import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { Program } from '@largepayload/testing/processes/program';
import { chromium } from '@largepayload/testing/programs/chromium';
import { ACCESS_KEY, clientOf, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { expect, inject, test } from 'vitest';
import { newPage, openBrowser, textOnceItShows } from '../web-ui.fixture.ts';
import { quickStart, repository } from './fixtures/readme.fixture.ts';
import { suiteCluster } from './fixtures/suite.fixture.ts';
import { show } from './fixtures/table.fixture.ts';

const BUCKET = 'quick-start';
const WEB_UI = 'http://127.0.0.1:8233';
const cluster = await suiteCluster();
// The first two blocks build and install. The set-up has run them. The last one forwards ports until it is ended.
const blocks = quickStart(cluster.registryImage).slice(2);
const bash = ['-euo', 'pipefail', '-c'];

test("README's quick start works word for word, and the Web UI shows the payloads", {
  timeout: 600_000,
}, async () => {
  const { endpoint } = inject('kubernetesSuite');
  const s3 = clientOf(endpoint);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  s3.destroy();
  const started = performance.now();
  const environment = {
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_REGION: 'us-east-1',
    S3_ENDPOINT: endpoint,
    BUCKET,
  };
  const script = `cd ${repository}\n${blocks.slice(0, -1).join('\n')}`;
  const output = await cluster.run('bash', [...bash, script], { environment, limitMs: 500_000 });
  expect(output).toMatch(/^10000 orders in 10\.6 MB, EUR 497257\.29 in all$/m);
  expect(output).toMatch(/^\d\d\.\d MB of invoices; the workflow's history has \d{4} bytes$/m);
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);

  const page = await pageOfTheWorkflow();
  expect(page).toContain('"size": 10646576');
  expect(page).not.toContain('remote-codec');
  show(
    "README's quick start",
    `a store, a labelled namespace, a worker and a workflow with 10 MB: ${seconds} s; shown by the Web UI, screenshot in e2e/.output`,
  );
  await cluster.kubectl('delete', 'namespace', 'orders', '--wait=false');
});

/** The text of the workflow's page in the Web UI, which the last block makes reachable. */
async function pageOfTheWorkflow(): Promise<string> {
  const forward = cluster.command('bash', [...bash, `exec ${(blocks.at(-1) ?? '').trim()}`]);
  const { program } = await Program.start(
    { name: 'kubectl port-forward', ...forward, env: cluster.environment },
    (line) => line.includes('127.0.0.1:8888') || undefined,
  );
  const browser = await openBrowser(chromium((line) => console.info(line)));
  try {
    const page = await newPage(browser);
    // Each pod that is made changes the node's network, and Chromium then ends all of its own requests. So Node sends them.
    await page.route('**/*', async (route) => await route.fulfill({ response: await route.fetch() }));
    await page.goto(`${WEB_UI}/namespaces/default/workflows`);
    await page
      .getByRole('link', { name: /bill-orders-\d+/ })
      .first()
      .click();
    return await textOnceItShows(page, '"largePayload"', 'quick-start.png');
  } finally {
    await browser.close();
    await program.stop();
  }
}
