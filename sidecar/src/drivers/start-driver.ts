import { type LargePayloadStore, type StorageKindName, storageKindOf } from '@largepayload/crds';
import type { EnvironmentNotice, StartedDriver } from './driver.ts';

type Storage = LargePayloadStore['spec']['storage'];

/** Folders that a cluster mounts, so that the manifest does not name them. */
export interface Mounts {
  /** of the claim of `storage.filesystem` */
  readonly dataFolder: string | undefined;
  /** of the Secret with the credentials of an object store */
  readonly credentialsFolder: string | undefined;
}

/** How a kind of storage is opened. */
interface DriverOfKind {
  readonly start: (storage: Required<Storage>, mounts: Mounts, signal: AbortSignal) => Promise<StartedDriver>;
  /** about the process's environment, before the storage is looked at */
  readonly notices: (storage: Required<Storage>) => Promise<EnvironmentNotice[]>;
}

/** Those of the kinds that this version supports. A driver is loaded where it is used: the build makes a file of each. */
export const DRIVERS: Readonly<Partial<Record<StorageKindName, DriverOfKind>>> = {
  filesystem: {
    start: async (_storage, { dataFolder }) => {
      const { FilesystemDriver } = await import('./filesystem/filesystem-driver.ts');
      return { driver: await FilesystemDriver.start(dataFolder as string), notices: [] };
    },
    notices: async () => [],
  },
  s3: {
    start: async ({ s3 }, { credentialsFolder }, signal) => {
      const { startS3Driver } = await import('./s3/start-s3-driver.ts');
      return await startS3Driver(s3, credentialsFolder, signal);
    },
    notices: async ({ s3 }) => {
      const { environmentNotices } = await import('./s3/environment.ts');
      return environmentNotices(s3, process.env);
    },
  },
};

/** Whether the mounts are those that the manifest's storage needs; none is looked at. @throws Error that names the option */
export function assertMounts({ spec }: LargePayloadStore, { dataFolder, credentialsFolder }: Mounts): void {
  if (storageKindOf(spec).credentialKeys.length > 0) {
    if (dataFolder === undefined) return;
    throw new Error('--data-dir is for spec.storage.filesystem; leave it out');
  }
  if (dataFolder === undefined) throw new Error('spec.storage.filesystem needs --data-dir DIR');
  if (credentialsFolder !== undefined) {
    throw new Error('--credentials-dir is for object stores; leave it out');
  }
}

/** Variables of the environment that do not have the effect one expects. The driver need not be startable. */
export async function noticesOfEnvironment({ spec }: LargePayloadStore): Promise<EnvironmentNotice[]> {
  return await driverOf(spec).notices(spec.storage as Required<Storage>);
}

/** The driver of the storage that the manifest names, once that could be used. @throws StorageError, the signal's reason */
export async function startDriver(
  manifest: LargePayloadStore,
  mounts: Mounts,
  signal: AbortSignal = new AbortController().signal,
): Promise<StartedDriver> {
  assertMounts(manifest, mounts);
  return await driverOf(manifest.spec).start(manifest.spec.storage as Required<Storage>, mounts, signal);
}

function driverOf(spec: LargePayloadStore['spec']): DriverOfKind {
  return DRIVERS[storageKindOf(spec).name] as DriverOfKind;
}
