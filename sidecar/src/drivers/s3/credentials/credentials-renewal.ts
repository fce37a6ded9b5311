import type { Credentials } from './credentials-source.ts';

/** New credentials are asked for this long before the old ones end. Meanwhile the old ones are used. */
const RENEWED_BEFORE_END_MS = 300_000;
/** After the source answered or failed it is not asked again for this time. */
const PAUSE_MS = 1_000;

/**
 * Keeps credentials, and asks for new ones before they end. A source that is down does no harm while its last
 * credentials are good. It is asked by one request at a time. Credentials that have ended by this machine's clock when they
 * arrive are used all the same: the storage's clock decides.
 * @returns a function that throws the error of the source, when no credentials are good
 */
export function renewedCredentials(
  load: () => Promise<Credentials>,
  pauseMs = PAUSE_MS,
): () => Promise<Credentials> {
  let last: Credentials | undefined;
  let renewal: Promise<Credentials> | undefined;
  const renew = async () => {
    try {
      last = await load();
      return last;
    } finally {
      setTimeout(() => {
        renewal = undefined;
      }, pauseMs).unref();
    }
  };
  return async () => {
    if (last !== undefined && isGoodFor(last, RENEWED_BEFORE_END_MS)) return last;
    renewal ??= renew();
    if (last === undefined || !isGoodFor(last, 0)) return await renewal;
    renewal.catch(() => {});
    return last;
  };
}

function isGoodFor({ expiration }: Credentials, timeMs: number): boolean {
  return expiration === undefined || expiration.getTime() - Date.now() > timeMs;
}
