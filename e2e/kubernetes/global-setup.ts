import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { startVersitygwAt } from '@largepayload/testing/s3-servers/versitygw';
import type { TestProject } from 'vitest/node';
import { requireCluster } from '../cluster/clusters.ts';
import type { Cluster } from '../cluster/provider.ts';
import { CLUSTER_NAME } from './fixtures/names.fixture.ts';
import { quickStart, repository } from './fixtures/readme.fixture.ts';
import { tableFile } from './fixtures/table.fixture.ts';

/** ms */
const CONNECT_LIMIT = 5_000;

/** Installs the operator as README does, and starts an S3 server that pods reach. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  mkdirSync(outputFolder, { recursive: true });
  rmSync(tableFile, { force: true });
  const cluster = await requireCluster(CLUSTER_NAME);
  if (cluster.hostAddress === undefined)
    throw new Error('pods of this cluster cannot reach the S3 server of the tests: set E2E_HOST_ADDRESS');
  await reachServices(cluster);
  const [, install = ''] = quickStart(cluster.registryImage);
  await cluster.run('bash', ['-euo', 'pipefail', '-c', `cd ${repository}\n${install}`]);
  const server = await startVersitygwAt(cluster.hostAddress, '--keep-alive');
  project.provide('kubernetesSuite', { clusterName: CLUSTER_NAME, endpoint: server.endpoint });
  return () => server.stop();
}

/** @throws Error where Services cannot be called by their addresses */
async function reachServices(cluster: Cluster): Promise<void> {
  const host = await cluster.kubectl('get', 'service', 'kubernetes', '--output=jsonpath={.spec.clusterIP}');
  const socket = connect({ host, port: 443 });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_LIMIT) });
  } catch (cause) {
    throw new Error(
      `the Service kubernetes (${host}:443) cannot be reached from here, and the tests call Services and pods by their ` +
        'addresses. With kind, run them as root, which joins the network of a node; those on an existing cluster run on ' +
        'one of its nodes.',
      { cause },
    );
  } finally {
    socket.destroy();
  }
}
