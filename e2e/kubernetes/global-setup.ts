import { mkdirSync, rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { startVersitygwAt } from '../../sidecar/src/testing/s3-servers/versitygw.ts';
import { requireCluster } from '../cluster/clusters.ts';
import { outputFolder } from '../testing/output.ts';
import { CLUSTER_NAME } from './testing/names.ts';
import { quickStart, repository } from './testing/readme.ts';
import { printTable, tableFile } from './testing/table.ts';

/** Installs the operator as README does, and starts an S3 server that pods reach. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  mkdirSync(outputFolder, { recursive: true });
  rmSync(tableFile, { force: true });
  const cluster = await requireCluster(CLUSTER_NAME);
  if (cluster.hostAddress === undefined)
    throw new Error('pods of this cluster cannot reach the S3 server of the tests');
  const [, install = ''] = quickStart();
  await cluster.run('bash', ['-euo', 'pipefail', '-c', `cd ${repository}\n${install}`]);
  const server = await startVersitygwAt(cluster.hostAddress, '--keep-alive');
  project.provide('kubernetesSuite', { clusterName: CLUSTER_NAME, endpoint: server.endpoint });
  return async () => {
    await server.stop();
    printTable((line) => console.log(line));
  };
}
