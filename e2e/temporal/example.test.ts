import { join } from 'node:path';
import { expect, test } from 'vitest';
import { show } from './summary.fixture.ts';
import { isWorkerRunning, repository, useTestBed } from './workflow-setup.fixture.ts';

const use = useTestBed('example');
const folder = join(repository, 'examples/typescript-worker');

test('examples/typescript-worker runs as it stands', async () => {
  const { bed } = use;
  const start = (file: string, ready: (line: string) => true | undefined) =>
    bed.startProgram(
      { name: file, command: process.execPath, args: [join(folder, file)], env: bed.environment },
      ready,
    );
  await start('worker.ts', isWorkerRunning);
  const started = performance.now();
  const lines: string[] = [];
  const client = await start('client.ts', (line) => {
    lines.push(line);
    return lines.length === 2 || undefined;
  });
  expect(await client.exited).toBe(0);
  const [orders, invoices] = lines;
  expect(orders).toBe('10000 orders in 10.6 MB, EUR 497257.29 in all');
  expect(invoices).toMatch(/^\d\d\.\d MB of invoices; the workflow's history has \d{4} bytes$/);
  const seconds = (performance.now() - started) / 1_000;
  show({ what: 'examples/typescript-worker', seconds, outcome: lines.join('; ') });
});
