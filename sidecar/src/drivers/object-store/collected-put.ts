import { CollectedBody } from '../../bytes/collected-body.ts';
import type { PutOutcome, WriteSteps } from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import type { PutOptions } from '../driver.ts';
import { type ObjectRequests, STORING } from './object-requests.ts';

/** How often an object may vanish between the refusal to create it and the look at it before we overwrite. */
const CREATE_ATTEMPTS = 3;

/**
 * Keeps a body in memory until it is whole, and sends it as often as needed.
 * @param size bytes of the body
 * @param release gives its memory back to the budget; called once, at the end
 */
export function collectedPut(
  object: ObjectRequests,
  size: number,
  options: PutOptions,
  release: () => void,
): WriteSteps {
  const body = new CollectedBody(size);
  return {
    write(chunk) {
      body.add(chunk);
      return undefined;
    },
    async commit() {
      const outcome = await send(object, body.pieces, options);
      // The service has proven that it has all bytes, and no other request has sent them: nothing reads them any more. After
      // anything else a connection that was given up may hold them yet, so they are left to the collector.
      if (outcome === 'created' && object.writeAttempts === 1) body.release();
      release();
      return outcome;
    },
    abort: async () => release(),
  };
}

async function send(
  object: ObjectRequests,
  chunks: readonly Buffer[],
  { signal, keepExisting, replace }: PutOptions,
): Promise<PutOutcome> {
  if (replace) return await object.overwrite(chunks, signal);
  // A service that knows no conditions would overwrite.
  if (keepExisting && (await object.decide(signal)) === 'keep') return 'existed';
  for (let attempt = 0; attempt < CREATE_ATTEMPTS; attempt += 1) {
    const refusal = await object.create(chunks, signal);
    if (refusal === undefined) return 'created';
    const decision = await object.decide(signal, refusal);
    if (decision === 'keep') return 'existed';
    if (decision === 'replace') break;
  }
  if (keepExisting) throw new StorageError('unavailable', `cannot ${STORING}: others create and delete it`);
  // Over other bytes, or where a service takes the mark of a deleted version for an object.
  return await object.overwrite(chunks, signal);
}
