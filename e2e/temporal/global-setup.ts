import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@largepayload/testing/processes/free-port';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { chromium } from '@largepayload/testing/programs/chromium';
import { TemporalServer, temporalCli } from '@largepayload/testing/servers/temporal-server';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';
import { printSummary } from './summary.fixture.ts';

/** Shared by all test files. */
export interface Suite {
  /** HOST:PORT of the Temporal server. */
  readonly address: string;
  /** Path of Temporal's CLI. */
  readonly cli: string;
  readonly chromium: string;
  readonly uiUrl: string;
  /** Address at which the Web UI expects a codec server, which a test starts. */
  readonly codecServer: { readonly listen: string; readonly url: string };
  /** File with the bundled code of `app/workflows.ts`. */
  readonly workflowBundle: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly suite: Suite;
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`);

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  rmSync(outputFolder, { recursive: true, force: true });
  mkdirSync(join(outputFolder, 'logs'), { recursive: true });
  const cli = await temporalCli(say);
  const browser = chromium(say);
  const workflowBundle = await bundleWorkflows();
  const [uiPort = 0, codecPort] = await freePorts(2);
  const codecServer = { listen: `127.0.0.1:${codecPort}`, url: `http://127.0.0.1:${codecPort}` };
  const server = await TemporalServer.start({
    cli,
    webUi: { port: uiPort, codecEndpoint: codecServer.url },
    logFile: join(outputFolder, 'logs', 'temporal.log'),
  });
  const uiUrl = `http://127.0.0.1:${uiPort}`;
  project.provide('suite', {
    address: server.address,
    cli,
    chromium: browser,
    uiUrl,
    codecServer,
    workflowBundle,
  });
  return async () => {
    await server.program.stop();
    printSummary(say);
  };
}

async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, 'app/workflows.ts'),
    logger: { ...console, trace() {}, debug() {}, info() {}, log() {} },
  });
  const file = join(outputFolder, 'workflow-bundle.js');
  writeFileSync(file, code);
  return file;
}
