import { isReservedPrefix } from './schema/prefix.ts';
import type { LargePayloadStore } from './schema/store.ts';

type Spec = LargePayloadStore['spec'];
type Storage = Spec['storage'];

/** A field of `spec.storage`, which is also the `kind` of its driver. */
export type StorageKindName = Exclude<keyof Storage, 'shared'>;

/** Facts of a storage kind by which service and operator decide. All other differences are in the driver. */
export interface StorageKind {
  readonly name: StorageKindName;
  /** Whether this version has a driver. */
  readonly isSupported: boolean;
  /** where such a store keeps its payloads, for messages */
  readonly where: string;
  /** Whether several pods can use it at once, on several nodes. */
  readonly takesManyPods: boolean;
  /** The component that deletes expired payloads: with a `reaper`, the gateway needs no right to delete. */
  readonly deletedBy: 'gateway' | 'reaper';
  /** Whether a missing right shows only when it is used, so that a process tries a write, or a delete, of its own first. */
  readonly needsTrials: boolean;
  /** the difference allowed between the clocks of standalone processes */
  readonly standaloneClockToleranceMs: number;
  /** Whether its clock is another one than the machine's. */
  readonly hasOwnClock: boolean;
  /** how long a PUT relies on the last look at the store's identity and lease */
  readonly identityLifetimeMs: number;
  /** Whether of several creates of one name exactly one succeeds, in every service that speaks the protocol. */
  readonly createsExactly: boolean;
  /** keys of a Secret with credentials; empty: it takes none, as it is a volume that is mounted */
  readonly credentialKeys: readonly string[];
  /** The place of a store's data, for messages. Reads the kind's own field only. */
  readonly place: (storage: Required<Storage>) => string;
  /** the parts of the place that a person chooses, for messages */
  readonly placeParts: string;
}

/** Each look at it is a request, and its processes may be on several machines. */
const OBJECT_STORE = {
  takesManyPods: true,
  deletedBy: 'reaper',
  needsTrials: true,
  standaloneClockToleranceMs: 2_000,
  hasOwnClock: true,
  identityLifetimeMs: 30_000,
  createsExactly: false,
  place: () => 'the storage',
  placeParts: 'bucket or prefix',
} as const;

export const STORAGE_KINDS: { readonly [Name in StorageKindName]: StorageKind & { readonly name: Name } } = {
  s3: {
    ...OBJECT_STORE,
    name: 's3',
    isSupported: true,
    where: 'in s3',
    credentialKeys: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    place: ({ s3: { bucket, endpoint, prefix } }) => {
      const at = endpoint === undefined ? '' : ` at ${endpoint}`;
      return `the bucket ${bucket}${at}${prefix === '' ? '' : `, prefix ${prefix},`}`;
    },
  },
  gcs: { ...OBJECT_STORE, name: 'gcs', isSupported: false, where: 'in gcs', credentialKeys: [] },
  azure: { ...OBJECT_STORE, name: 'azure', isSupported: false, where: 'in azure', credentialKeys: [] },
  /** A mount may change under a process, and a look at it costs little. Processes share one clock; the driver writes at its start. */
  filesystem: {
    name: 'filesystem',
    isSupported: true,
    where: 'on a filesystem',
    takesManyPods: false,
    deletedBy: 'gateway',
    needsTrials: false,
    standaloneClockToleranceMs: 0,
    hasOwnClock: false,
    identityLifetimeMs: 1_000,
    createsExactly: true,
    credentialKeys: [],
    place: ({ filesystem }) => `the volume of claim ${filesystem.claimName}`,
    placeParts: 'claim',
  },
};

/** The kind of the storage that a valid spec names. */
export function storageKindOf({ storage }: Pick<Spec, 'storage'>): StorageKind {
  return Object.values(STORAGE_KINDS).find(({ name }) => storage[name] !== undefined) as StorageKind;
}

/** `the bucket payloads, prefix orders/,`: where a store's payloads are, for messages */
export function placeOf({ storage }: Pick<Spec, 'storage'>): string {
  return storageKindOf({ storage }).place(storage as Required<Storage>);
}

/**
 * Why no store is begun with the spec's prefix, and nothing is deleted from a store that version 0.1 began with it; `undefined`: the
 * prefix is allowed. A store with a shorter prefix of the bucket would take the place for a window, or payloads, of its own.
 */
export function reservedPrefix({ storage: { s3, gcs, azure } }: Pick<Spec, 'storage'>): string | undefined {
  const prefix = (s3 ?? gcs ?? azure)?.prefix ?? '';
  if (!isReservedPrefix(prefix)) return undefined;
  return `the prefix ${JSON.stringify(prefix)} has a segment that stores keep for themselves (blobs, expires-…, . or ..)`;
}
