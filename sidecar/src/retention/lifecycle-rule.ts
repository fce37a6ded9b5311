import { putTimeLimit } from '@largepayload/crds';
import { windowWidth } from '../keys/window.ts';
import { CLOCK_NAME } from '../storage-records/clock/clock-record.ts';
import { LEASE_NAME } from '../storage-records/lease/lease.ts';
import { TRIAL_NAME } from '../storage-records/write-check/write-trial.ts';

const DAY = 86_400_000;
/** Records that are written again and again. */
const OVERWRITTEN = [CLOCK_NAME, LEASE_NAME, TRIAL_NAME];

export interface LifecycleFacts {
  /** before the name of every object; empty, or ending in a slash */
  readonly prefix: string;
  /** the longest TTL under which payloads of the bucket were ever stored, ms */
  readonly longestTtl: number;
  /** the difference allowed between the clocks of any two processes of the store, ms */
  readonly clockToleranceMs: number;
}

/**
 * A lifecycle configuration for S3 that removes what the reaper should have removed: objects of expiry windows, when all
 * of a window's payloads have outlived their TTL whenever the object was created. S3 counts whole days from an object's
 * creation, and a hit does not renew that, so a window's width belongs to its age. Versions that were deleted or replaced
 * go a day later, also those of what the service keeps for itself. Objects that are kept for ever are not concerned.
 */
export function lifecycleConfiguration({ prefix, longestTtl, clockToleranceMs }: LifecycleFacts): object {
  const longestLife = longestTtl + putTimeLimit(longestTtl) + clockToleranceMs + windowWidth(longestTtl);
  return {
    Rules: [
      {
        ID: 'payload-store-backstop',
        Status: 'Enabled',
        Filter: { Prefix: `${prefix}expires-` },
        // One day more: which clock S3 counts by is its own affair.
        Expiration: { Days: Math.ceil(longestLife / DAY) + 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
      ...OVERWRITTEN.map((name) => ({
        ID: `payload-store-${name.replace('.json', '')}`,
        Status: 'Enabled',
        Filter: { Prefix: `${prefix}${name}` },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      })),
    ],
  };
}
