import { expect, test } from 'vitest';
import { linesOf, manifest, problemsOf } from './manifest.fixture.ts';

const storage = (s3: object) => manifest({ storage: { s3: { bucket: 'payloads', ...s3 } } });
const retention = (fields: object) => manifest({ retention: { ttl: '30d', ...fields } });

test('all problems of a manifest are listed, each at its path', () => {
  const text = manifest(
    {
      storage: { s3: { forcePathStyle: 'true' }, gcs: { bucket: 'ab' } },
      retention: { ttl: 30 },
      temporalNamespaces: [],
      gateway: { replicas: 0, resources: { limits: { memory: 1.5 } } },
    },
    { namespace: 'Shop' },
  );
  expect(problemsOf(text).map(({ path }) => path)).toEqual([
    'metadata.name',
    'metadata.namespace',
    'spec.storage.s3.bucket',
    'spec.storage.s3.forcePathStyle',
    'spec.storage.gcs.bucket',
    'spec.storage',
    'spec.retention.ttl',
    'spec.temporalNamespaces',
    'spec.gateway.replicas',
    'spec.gateway.resources.limits.memory',
  ]);
});

test('a value is shown shortened and on one line', () => {
  const [problem] = problemsOf(retention({ ttl: `\u001b[31m\n${'x'.repeat(100_000)}` }));
  expect(problem?.message).toMatch(/^"\\u001b\[31m\\nx+…": /);
});

test('a pattern is not tried on megabytes', () => {
  expect(linesOf(storage({ prefix: 'a/'.repeat(500_000) }))).toEqual([
    expect.stringMatching(/expected nothing, or path segments .*, in at most 256 characters$/),
  ]);
});

test('a field with megabytes for a name costs nothing', () => {
  const [problem] = problemsOf(manifest({ ['x'.repeat(1_000_000)]: 1 }));
  expect(problem?.path.length).toBeLessThan(100);
});
