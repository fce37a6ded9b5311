import { join } from 'node:path';
import { INJECT_LABEL, SIDECAR_CONTAINER, SIDECAR_FOLDER } from '@largepayload/operator/injection/names';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { TemporalServer, temporalCli } from '@largepayload/testing/servers/temporal-server';
import { afterEach, expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { upgradeOperator } from '../fixtures/operator.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import {
  beginRotation,
  completeRotation,
  pretendToWait,
  untilPublishedAlone,
  untilRead,
  untilVerdicts,
} from '../sidecar/authority.fixture.ts';
import { Documents } from './documents.fixture.ts';
import { OUTSIDE_NAME, OutsideClient } from './outside-client.fixture.ts';
import { handOver, storedPayloads } from './reaped.fixture.ts';
import { deployWorkers, killWorker, workerPods } from './workers.fixture.ts';

const cluster = await suiteCluster();
const drained = cluster.nodeNames.at(-1) ?? '';
const WORKERS = ['worker', 'go-worker'];
const DRAIN_FLAGS = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=220s'];

afterEach(async () => {
  await cluster.kubectl('uncordon', drained);
});

// A registry would have to have the images of the workers.
test.skipIf(cluster.registryImage !== undefined)(
  'workflows with 10 MB payloads complete while gateways, operator, certificates, a worker and a node change',
  {
    timeout: 1_200_000,
  },
  async () => {
    await completeRotation();
    const bed = await StoreBed.make('whole', { [INJECT_LABEL]: 'documents' });
    handOver(bed);
    const credentialsSecretRef = { name: CREDENTIALS };
    await bed.applyStore('documents', {
      retention: { ttl: '2m', reaperInterval: '5s' },
      gateway: { authentication: 'Token', credentialsSecretRef, replicas: 2, dnsNames: [OUTSIDE_NAME] },
    });
    await bed.until('documents', 'GatewayAvailable', { message: /^2 of 2/ });
    const temporal = await TemporalServer.start({
      cli: await temporalCli((line) => console.info(line)),
      host: cluster.hostAddress ?? '',
      logFile: join(outputFolder, 'logs', 'temporal-of-whole.log'),
    });
    try {
      await deployWorkers(bed, temporal.address);
      await using outside = await OutsideClient.make(bed, temporal.address);
      const documents = new Documents(outside.client);
      await using traffic = documents.traffic;
      await completed(documents, 1);

      const steps = await changeEverything(bed, outside);
      // What was started meanwhile ends, and new workflows too.
      await completed(documents, 2);
      await traffic.stop();
      expect(traffic.failures).toEqual([]);
      expect(await storedPayloads(bed)).toBeGreaterThan(0);
      const pods = (await Promise.all(WORKERS.map((worker) => workerPods(bed, worker)))).flat();
      expect(pods.map(({ isInjected }) => isInjected)).toEqual([true, true, true, true]);
      show(
        'the whole: workflows with 10 MB payloads',
        `${documents.billed} of a worker in TypeScript and ${documents.stamped} of one in Go completed, started from outside of ` +
          `the cluster; none failed, every byte arrived. Meanwhile: ${steps.join(', ')}`,
      );
    } finally {
      await temporal.program.stop();
    }
  },
);

/** @returns what was changed, with the seconds that it took */
async function changeEverything(bed: StoreBed, outside: OutsideClient): Promise<readonly string[]> {
  const steps: string[] = [];
  const step = async <T>(what: string, work: Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await work;
    steps.push(`${what} (${((performance.now() - began) / 1_000).toFixed(0)} s)`);
    return result;
  };
  const [[, authority]] = await Promise.all([
    step('a new authority published', beginRotation(bed, 'documents')),
    step('operator upgraded', upgradeOperator(`podAnnotations.upgraded=at-${Date.now()}`)),
    step('worker killed', killOneOf(bed)),
  ]);
  await outside.takeAuthorities();
  await Promise.all([step('node drained', drain()), step('read by all sidecars', untilAllRead(bed, 2))]);
  await cluster.kubectl('uncordon', drained);
  await pretendToWait();
  await step('gateways rolled, with certificates of the new authority', rollGateways(bed, authority));
  await pretendToWait();
  await step('the old authority withdrawn', untilPublishedAlone(bed, 'documents', authority));
  await outside.takeAuthorities();
  return steps;
}

async function killOneOf(bed: StoreBed): Promise<void> {
  const [pod] = await workerPods(bed, 'worker');
  if (pod === undefined) throw new Error('there is no worker');
  await killWorker(bed, pod);
}

async function drain(): Promise<void> {
  await cluster.run('kubectl', ['drain', drained, ...DRAIN_FLAGS], { limitMs: 240_000 });
}

/** Waits until the sidecar of each worker has so many authorities in its file. */
async function untilAllRead(bed: StoreBed, count: number): Promise<void> {
  await slowly(async () => {
    const pods = (await Promise.all(WORKERS.map((worker) => workerPods(bed, worker)))).flat();
    const file = { container: SIDECAR_CONTAINER, file: `${SIDECAR_FOLDER}/ca.crt` };
    // A pod may go meanwhile; then the others are asked anew.
    const reading = pods.map(({ name }) => untilRead(bed, { pod: name, ...file }, count));
    return await Promise.all(reading).then(
      () => true,
      () => undefined,
    );
  }, 420_000);
}

/** Restarts the gateways when there is a certificate of the new authority, which they then have at once. */
async function rollGateways(bed: StoreBed, authority: string): Promise<void> {
  const path = '--output=jsonpath={.data.ca\\.crt}';
  await slowly(async () => {
    const signer = Buffer.from(
      await bed.kubectl('get', 'secret', 'largepayload-tls', path),
      'base64',
    ).toString();
    return signer.trim() === authority.trim() || undefined;
  }, 180_000);
  await bed.kubectl('rollout', 'restart', 'deployment/documents-gateway');
  await bed.kubectl('rollout', 'status', 'deployment/documents-gateway', '--timeout=100s');
  await untilVerdicts(bed, authority, (all) => all.every((verdict) => verdict === 'verified'));
}

/** Waits until so many more workflows of each worker have completed. */
async function completed(documents: Documents, more: number): Promise<void> {
  const { billed, stamped } = documents;
  await slowly(async () => {
    const isDone = documents.billed >= billed + more && documents.stamped >= stamped + more;
    return isDone || undefined;
  }, 240_000);
}
