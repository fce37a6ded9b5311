import { realProgram } from '@largepayload/testing/service/real-program';
import { describe, expect, test } from 'vitest';

const { run, configFile } = realProgram();

const s3 = { s3: { bucket: 'my-payloads', prefix: 'team/' } };

async function ruleOf(storage: object, retention: object, ...options: string[]) {
  const manifest = {
    apiVersion: 'largepayload.dev/v1alpha1',
    kind: 'LargePayloadStore',
    metadata: { name: 'test' },
    spec: { storage, retention },
  };
  const file = await configFile(JSON.stringify(manifest));
  const { code, stdout, stderr } = await run(['lifecycle-rule', '--config', file, ...options]);
  return { code, stdout: stdout.toString(), stderr };
}

test.each([
  [{ ttl: '30d' }, [], 33],
  [{ ttl: '12h' }, [], 2],
  [{ ttl: '12h' }, ['--longest-ttl', '30d'], 33],
  [{ ttl: '30d' }, ['--longest-ttl', '12h'], 33],
  [{ ttl: 'Forever' }, ['--longest-ttl', '30d'], 33],
])('retention %j, options %j: %i days', async (retention, options, days) => {
  const { code, stdout, stderr } = await ruleOf(s3, retention, ...options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [rule, ...others] = JSON.parse(stdout).Rules;
  expect(rule).toMatchObject({ Filter: { Prefix: 'team/expires-' }, Expiration: { Days: days } });
  // Of what the service keeps for itself only old versions go.
  for (const other of others) expect(other).not.toHaveProperty('Expiration');
});

describe('there is none for', () => {
  test.each<[string, object, object, string[], string]>([
    ['a folder', { filesystem: { claimName: 'claim' } }, { ttl: '30d' }, [], 'spec.storage.s3'],
    ['payloads that are kept for ever', s3, { ttl: 'Forever' }, [], '--longest-ttl'],
    ['a TTL that is none', s3, { ttl: '30d' }, ['--longest-ttl', 'long'], '--longest-ttl: '],
  ])('%s', async (_what, storage, retention, options, message) => {
    const { code, stdout, stderr } = await ruleOf(storage, retention, ...options);
    expect({ code, stdout, stderr }).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });
});
