import { StorageError } from '../../errors/storage-error.ts';
import { memoryLimit } from '../../memory/memory-limit.ts';
import { processLimits } from '../../memory/process-limits.ts';
import { S3Driver } from '../object-store/object-store-driver.ts';
import type { StartedDriver } from '../start-driver.ts';
import { contradictionIn } from './environment.ts';
import type { S3Location } from './s3-client.ts';

/**
 * The driver of a bucket that could be listed. Amazon's SDK is loaded here, so that a service without S3 does not pay for it.
 * @param credentialsFolder with files named as the SDK's environment variables; else the SDK searches
 * @throws StorageError that says what is wrong with the bucket, the credentials or the way there; the signal's reason
 */
export async function startS3Driver(
  location: S3Location,
  credentialsFolder: string | undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<StartedDriver> {
  const contradiction = contradictionIn(location, process.env);
  if (contradiction !== undefined) throw new StorageError('notFound', contradiction);
  const { AwsSdkClient } = await import('./aws-sdk-client.ts');
  const client = new AwsSdkClient(location, credentialsFolder);
  const { collectedBodies } = processLimits(memoryLimit());
  const driver = new S3Driver(client, { ...location, inMemoryTotal: collectedBodies });
  try {
    for await (const _entry of driver.listLevel('expires-', signal)) break;
    // Who may not ask is not told; nothing depends on it.
    const keepsVersions = await client.keepsVersions(signal).catch(() => false);
    return { driver, notices: keepsVersions ? [VERSIONS_NOTICE] : [] };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

const VERSIONS_NOTICE =
  'the bucket keeps versions: payloads that were deleted go on taking space, and can be read by their version, until a lifecycle rule removes noncurrent versions';
