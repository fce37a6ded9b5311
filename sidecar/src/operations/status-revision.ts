import { createHash } from 'node:crypto';
import type { StatusReport } from '@largepayload/crds';

/** Of a time in RFC 3339. */
const MINUTE = 'YYYY-MM-DDTHH:MM'.length;
const TEN_MINUTES = 'YYYY-MM-DDTHH:M'.length;

/**
 * Names the state that a status report shows: it changes when there is news. What moves while nothing happens does not count: when
 * the lease was renewed, the seconds of the latest pass, and the present time in the message of a deletion that waits.
 */
export function revisionOf({ lease, reaper, ...rest }: Omit<StatusReport, 'revision'>): string {
  const { lastCompletedTime, waiting, ...pass } = reaper ?? {};
  const steady = {
    ...rest,
    lease: lease && { ...lease, renewed: undefined },
    reaper: reaper && {
      ...pass,
      completed: lastCompletedTime?.slice(0, MINUTE),
      waiting: waiting && { reason: waiting.reason, until: waiting.until.slice(0, TEN_MINUTES) },
    },
  };
  return createHash('sha256').update(JSON.stringify(steady)).digest('base64url').slice(0, 22);
}
