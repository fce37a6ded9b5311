import { randomInt } from 'node:crypto';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { rounds } from '../rounds.fixture.ts';

export interface Run {
  readonly server: string;
  readonly start: () => Promise<S3Server>;
  readonly seed: number;
}

/** The seed of the first round: E2E_SEED. By default 1 for a single round, and a random one for several. */
const firstSeed = Number(process.env.E2E_SEED ?? (rounds.length === 1 ? 1 : randomInt(1_000_000)));

/** Every round on every server, each round with a seed of its own. */
export const runs: readonly Run[] = rounds.flatMap((round) => [
  { server: 'versitygw', start: startVersitygw, seed: firstSeed + round - 1 },
  { server: 'seaweedfs', start: startSeaweedfs, seed: firstSeed + round - 1 },
]);
