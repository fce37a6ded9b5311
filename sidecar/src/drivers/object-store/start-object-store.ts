import type { StartedDriver } from '../driver.ts';
import type { ObjectStoreClient } from './object-store-client.ts';
import type { ObjectStoreDriver } from './object-store-driver.ts';

const VERSIONS_NOTICE =
  'the bucket keeps versions: payloads that were deleted go on taking space, and can be read by their version, until a lifecycle rule removes noncurrent versions';

/**
 * The driver of this client, once the object store could be listed; else closes it.
 * @throws StorageError that says what is wrong with the store, the credentials or the way there; the signal's reason
 */
export async function startObjectStore(
  client: ObjectStoreClient,
  driver: ObjectStoreDriver,
  signal: AbortSignal,
): Promise<StartedDriver> {
  try {
    for await (const _entry of driver.listLevel('expires-', signal)) break;
    // Credentials that may not ask get no notice; nothing depends on it.
    const keepsVersions = await client.keepsVersions(signal).catch(() => false);
    return { driver, notices: keepsVersions ? [VERSIONS_NOTICE] : [] };
  } catch (error) {
    await driver.close();
    throw error;
  }
}
