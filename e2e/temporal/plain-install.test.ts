import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findNode20 } from '@largepayload/tools/node-20';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { show } from './summary.fixture.ts';
import { repository, useTestBed } from './workflow-setup.fixture.ts';

const run = promisify(execFile);
const temporal = ['client', 'worker', 'workflow', 'activity'].map((name) => `@temporalio/${name}@1.24.0`);
const node = findNode20();
const use = useTestBed('plain-install');
const application = mkdtempSync(join(tmpdir(), 'payload-store-application-'));
let environment: NodeJS.ProcessEnv;

/** An application that npm installs without pinned versions. It runs on the oldest Node that the codec supports. */
beforeAll(async () => {
  environment = { ...use.bed.environment, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  cpSync(join(import.meta.dirname, 'plain-application'), application, { recursive: true });
  writeFileSync(join(application, 'package.json'), '{ "name": "application", "private": true }');
  const pack = ['pack', '--json', '--ignore-scripts', '-w', 'codec', '--pack-destination', application];
  const { stdout } = await run('npm', pack, { cwd: repository });
  const [{ filename }] = JSON.parse(stdout);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await run('npm', ['install', ...options, `./${filename}`, ...temporal], {
    cwd: application,
    env: environment,
  });
}, 300_000);
afterAll(() => rmSync(application, { recursive: true, force: true }));

test('the application has several copies of protobufjs, which the codec must bear', () => {
  const copies = ['common', 'proto', 'worker'].map((name) =>
    createRequire(join(application, 'node_modules/@temporalio', name, 'package.json')).resolve('protobufjs'),
  );
  expect(new Set(copies).size).toBe(3);
});

test.each([
  ['an ES module', 'module.mjs'],
  ['CommonJS', 'commonjs.cjs'],
])('%s carries 10 MB', async (kind, file) => {
  const started = performance.now();
  const { stdout } = await run(node, [join(application, file), `plain install, ${kind}`], {
    cwd: application,
    env: environment,
  });
  const done = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(done).toMatchObject({ msg: 'done', isEqual: true });
  expect(done.node).toMatch(/^v20\./);
  show({
    what: `plain npm install, ${kind}`,
    payloads: '4 x 10 MB',
    historyBytes: done.historySize,
    seconds: (performance.now() - started) / 1_000,
    outcome: `every byte arrived; Node ${done.node}`,
  });
});
