import { expect, test } from 'vitest';
import { computeResources, GATEWAY_RESOURCES } from './compute-resources.ts';

const { requests, limits } = GATEWAY_RESOURCES;

test.each([
  ['nothing', {}, GATEWAY_RESOURCES],
  ['one request', { requests: { cpu: 1 } }, { requests: { ...requests, cpu: '1' }, limits }],
  [
    'a limit below the default request',
    { limits: { memory: '128Mi' } },
    {
      requests: { ...requests, memory: '128Mi' },
      limits: { ...limits, memory: '128Mi' },
    },
  ],
  [
    'a request above the default limit',
    { requests: { cpu: '2500m' } },
    {
      requests: { ...requests, cpu: '2500m' },
      limits: { ...limits, cpu: '2500m' },
    },
  ],
  [
    'a limit that is higher',
    { limits: { memory: '1e9' } },
    { requests, limits: { ...limits, memory: '1e9' } },
  ],
  [
    'another resource',
    { limits: { 'ephemeral-storage': '1Gi' } },
    {
      requests,
      limits: { ...limits, 'ephemeral-storage': '1Gi' },
    },
  ],
  [
    'a text that is no quantity',
    { limits: { cpu: 'lots' } },
    { requests, limits: { ...limits, cpu: 'lots' } },
  ],
])('the defaults give way to %s', (_what, given, expected) => {
  expect(computeResources(GATEWAY_RESOURCES, given)).toEqual(expected);
});
