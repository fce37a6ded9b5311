import { parseLargePayloadStore } from '@largepayload/crds';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { expect, test } from 'vitest';
import { gateway } from '../roles/gateway.ts';
import { standalone } from '../roles/standalone.ts';
import { clusterAccess } from './serve-settings.ts';

const manifest = (authentication: string) =>
  parseLargePayloadStore(
    manifestOn({ filesystem: { claimName: 'c' } }, { spec: { gateway: { authentication } } }),
    'test',
  );
const DIR = { 'kubernetes-dir': '/kubernetes' };

test('a gateway asks the API server of its cluster, or another one', () => {
  const access = (values: object) => clusterAccess(gateway, manifest('Token'), { ...DIR, ...values });
  expect(access({})).toEqual({ folder: '/kubernetes', url: 'https://kubernetes.default.svc' });
  for (const url of ['https://10.0.0.1:6443', 'https://10.0.0.1:6443/'])
    expect(access({ 'kubernetes-url': url })).toMatchObject({ url: 'https://10.0.0.1:6443' });
  expect(access({ 'kubernetes-url': 'http://127.0.0.1:8080' })).toMatchObject({
    url: 'http://127.0.0.1:8080',
  });
  expect(clusterAccess(gateway, manifest('None'), {})).toBeUndefined();
});

test.each<[what: string, role: typeof gateway, authentication: string, values: object, fault: string]>([
  ['tokens that nothing can verify', gateway, 'Migrate', {}, 'Migrate needs --kubernetes-dir'],
  [
    'an API server by plain HTTP',
    gateway,
    'Token',
    { ...DIR, 'kubernetes-url': 'http://10.0.0.1' },
    'https://',
  ],
  ['an API server with a path', gateway, 'Token', { ...DIR, 'kubernetes-url': 'https://api/x' }, 'more than'],
  ['an API server that is no URL', gateway, 'Token', { ...DIR, 'kubernetes-url': 'api' }, 'https://'],
  [
    'an API server without a token',
    gateway,
    'None',
    { 'kubernetes-url': 'https://api' },
    'needs --kubernetes-dir',
  ],
  ['tokens in a standalone service', standalone, 'None', DIR, 'for --role gateway'],
])('%s: the message says what to change', (_what, role, authentication, values, fault) => {
  expect(() => clusterAccess(role, manifest(authentication), { ...values })).toThrow(fault);
});
