import type { Reason } from '@largepayload/crds';

/** The storage holds the data of another store, whose reaper and windows would not agree with ours. */
export class ForeignStoreError extends Error {
  readonly reason: Reason;

  /** @param ours `NAMESPACE/NAME`, as `theirs` */
  constructor(ours: string, theirs: string) {
    super(
      `the storage belongs to the store ${theirs}, not to ${ours}; give each store a folder, bucket or prefix of its own`,
    );
    this.name = 'ForeignStoreError';
    this.reason = { name: 'StorageOwnedByAnotherStore', owner: theirs };
  }
}
