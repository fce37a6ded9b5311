import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { ApiError, type KubernetesApi, type KubernetesObject } from '../kubernetes/api.ts';
import { kindOf, LARGE_PAYLOAD_STORES } from '../kubernetes/resources.ts';
import type { StoreResource } from '../stores/read-store.ts';
import { sameStatus } from '../stores/same-status.ts';
import { type Transition, transitions } from '../stores/transitions.ts';

/** How long the view may lag behind a write. */
const VIEW_LAG_MS = 5_000;

export interface StatusWriterOptions {
  readonly api: KubernetesApi;
  /** owner of the fields; absent: the operator's. A second reconciler takes another name for its own part. */
  readonly fieldManager?: string;
  /** Records an Event on the store. Never throws. */
  readonly record: (store: StoreResource, transition: Transition) => void;
}

/**
 * Writes one reconciler's part of the statuses. The API server keeps the parts of several reconcilers apart by their field managers:
 * a write takes away only what the same manager wrote before, and conditions are a map by type.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  /** by UID of the store */
  readonly #written = new Map<string, { readonly status: LargePayloadStoreStatus; readonly atMs: number }>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** As written last, while the view may not show that yet; afterwards as the view shows it. */
  statusOf({ uid, status }: StoreResource): LargePayloadStoreStatus {
    const written = this.#written.get(uid);
    return written !== undefined && performance.now() - written.atMs < VIEW_LAG_MS ? written.status : status;
  }

  /** Writes what is new, and records an Event of each transition. @throws ApiError */
  async write(store: StoreResource, decided: LargePayloadStoreStatus, signal: AbortSignal): Promise<void> {
    const { api, fieldManager, record } = this.#options;
    const before = this.statusOf(store);
    if (sameStatus(before, decided)) return;
    try {
      // With the UID, a status is never given to a store that was made again under the same name.
      const object = { ...referenceTo(store), status: decided };
      await api.applyStatus(LARGE_PAYLOAD_STORES, object, signal, fieldManager);
    } catch (error) {
      // It was deleted this moment.
      if (error instanceof ApiError && error.status === 404) return;
      throw error;
    }
    this.#written.set(store.uid, { status: decided, atMs: performance.now() });
    for (const transition of transitions(before, decided)) record(store, transition);
  }

  /** @param uid of a store that has gone */
  forget(uid: string): void {
    this.#written.delete(uid);
  }
}

/** The store without spec and status. */
export function referenceTo({ namespace, name, uid }: StoreResource): KubernetesObject {
  return { ...kindOf(LARGE_PAYLOAD_STORES), metadata: { namespace, name, uid } };
}
