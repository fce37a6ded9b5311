import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { ACCESS_KEY, clientOf, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { expect, inject, test } from 'vitest';
import { quickStart, repository } from './fixtures/readme.fixture.ts';
import { suiteCluster } from './fixtures/suite.fixture.ts';
import { show } from './fixtures/table.fixture.ts';

const BUCKET = 'quick-start';

test("README's quick start works word for word", { timeout: 420_000 }, async () => {
  const { endpoint } = inject('kubernetesSuite');
  const s3 = clientOf(endpoint);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  s3.destroy();
  const cluster = await suiteCluster();
  // The first two blocks build and install. The set-up has run them.
  const script = quickStart(cluster.registryImage).slice(2).join('\n');
  const started = performance.now();
  const output = await cluster.run(
    'bash',
    ['-euo', 'pipefail', '-c', `set -m; cd ${repository}\n${script}`],
    {
      environment: {
        AWS_ACCESS_KEY_ID: ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY: SECRET_KEY,
        AWS_REGION: 'us-east-1',
        S3_ENDPOINT: endpoint,
        BUCKET,
      },
      limitMs: 400_000,
    },
  );
  expect(output).toMatch(/^documents +True +Ready +30s/m);
  expect(output).toMatch(/4\.8 MiB stored in [0-9.]+ s, fetched in [0-9.]+ s, digest verified/);
  expect(output).toMatch(/^payload_store_cleanup_deleted_total 1$/m);
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  show(
    "README's quick start",
    `Ready, 5 MB stored and fetched by a pod, removed after its TTL; ${seconds} s`,
  );
  await cluster.kubectl('delete', 'namespace', 'orders', '--wait=false');
});
