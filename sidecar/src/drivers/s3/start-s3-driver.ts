import { StorageError } from '../../errors/storage-error.ts';
import type { StartedDriver } from '../driver.ts';
import { startObjectStore } from '../object-store/object-store-driver.ts';
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
  return await startObjectStore(new AwsSdkClient(location, credentialsFolder), location.prefix, signal);
}
