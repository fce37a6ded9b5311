import type { LargePayloadStore } from '@largepayload/crds';
import type { Driver } from './driver.ts';
import { FilesystemDriver } from './filesystem/filesystem-driver.ts';
import { startS3Driver } from './s3/start-s3-driver.ts';

export interface StartedDriver {
  readonly driver: Driver;
  /** what whoever runs the service should know about the storage */
  readonly notices: readonly string[];
}

/** What the manifest does not say, because a cluster mounts it. */
export interface Mounts {
  /** where the claim of `storage.filesystem` is */
  readonly dataFolder: string | undefined;
  /** where the Secret with the credentials of an object store is */
  readonly credentialsFolder: string | undefined;
}

/** A mount that this storage needs is not given, or one is that it has no use for. */
export class MountError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MountError';
  }
}

/** The driver of the storage that the manifest names. @throws MountError, StorageError */
export async function startDriver(
  { spec: { storage } }: LargePayloadStore,
  { dataFolder, credentialsFolder }: Mounts,
): Promise<StartedDriver> {
  if (storage.s3 !== undefined) {
    if (dataFolder !== undefined)
      throw new MountError('--data-dir is for spec.storage.filesystem; leave it out');
    return await startS3Driver(storage.s3, credentialsFolder);
  }
  if (dataFolder === undefined) throw new MountError('spec.storage.filesystem needs --data-dir DIR');
  if (credentialsFolder !== undefined) {
    throw new MountError('--credentials-dir is for object stores; leave it out');
  }
  return { driver: await FilesystemDriver.start(dataFolder), notices: [] };
}
