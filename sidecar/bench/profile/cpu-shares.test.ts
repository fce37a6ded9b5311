import { expect, test } from 'vitest';
import { type CpuProfile, cpuShares } from './cpu-shares.ts';

const FRAMES: [functionName: string, url: string][] = [
  ['(idle)', ''],
  ['(garbage collector)', ''],
  ['update', 'node:internal/crypto/hash'],
  ['writev', ''],
  ['emit', 'node:events'],
  ['putBlob', 'file:///dist/payload-store.mjs'],
];
const profile = (samples: number[]): CpuProfile => ({
  startTime: 1_000,
  nodes: FRAMES.map(([functionName, url], id) => ({ id, callFrame: { functionName, url } })),
  samples,
  timeDeltas: samples.map(() => 100),
});

test('busy time is divided by the kind of work, and idle time is left out', () => {
  expect(cpuShares(profile([0, 0, 1, 2, 3, 3, 4, 5, 5, 5]), 0, 1e9)).toEqual({
    garbage: 1 / 8,
    hashing: 1 / 8,
    'sockets and TLS': 2 / 8,
    Node: 1 / 8,
    'our code and packages': 3 / 8,
  });
});

test('only samples between both moments count', () => {
  expect(cpuShares(profile([1, 2, 2, 1]), 1_150, 1_350)).toMatchObject({ garbage: 0, hashing: 1 });
});
