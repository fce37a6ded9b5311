import type { LargePayloadStore } from '@largepayload/crds';
import type { Driver } from './driver.ts';
import type { EnvironmentNotice } from './s3/environment.ts';

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

/** The driver's `kind`, known before there is one. */
export function storageKind({ spec: { storage } }: LargePayloadStore): 's3' | 'filesystem' {
  return storage.s3 === undefined ? 'filesystem' : 's3';
}

/** Whether the mounts are those that the manifest's storage needs; none is looked at. @throws MountError */
export function assertMounts(manifest: LargePayloadStore, mounts: Mounts): void {
  const { dataFolder, credentialsFolder } = mounts;
  if (storageKind(manifest) === 's3') {
    if (dataFolder !== undefined)
      throw new MountError('--data-dir is for spec.storage.filesystem; leave it out');
    return;
  }
  if (dataFolder === undefined) throw new MountError('spec.storage.filesystem needs --data-dir DIR');
  if (credentialsFolder !== undefined) {
    throw new MountError('--credentials-dir is for object stores; leave it out');
  }
}

/** What the environment says to the driver that is not so, or not plain; told once, whether or not it can be started. */
export async function noticesOfEnvironment(manifest: LargePayloadStore): Promise<EnvironmentNotice[]> {
  const { s3 } = manifest.spec.storage;
  if (s3 === undefined) return [];
  const { environmentNotices } = await import('./s3/environment.ts');
  return environmentNotices(s3, process.env);
}

/** The driver of the storage that the manifest names, once that could be used. @throws MountError, StorageError, the signal's reason */
export async function startDriver(
  manifest: LargePayloadStore,
  mounts: Mounts,
  signal: AbortSignal = new AbortController().signal,
): Promise<StartedDriver> {
  assertMounts(manifest, mounts);
  const { s3 } = manifest.spec.storage;
  // Loaded only where it is used: the build makes a file of each driver.
  if (s3 !== undefined) {
    const { startS3Driver } = await import('./s3/start-s3-driver.ts');
    return await startS3Driver(s3, mounts.credentialsFolder, signal);
  }
  const { FilesystemDriver } = await import('./filesystem/filesystem-driver.ts');
  return { driver: await FilesystemDriver.start(mounts.dataFolder as string), notices: [] };
}
