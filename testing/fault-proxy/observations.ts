import type { FaultKind } from './fault-rules.ts';
import type { S3Operation } from './s3-request.ts';

/** What a proxy has seen since it started. */
export interface Observed {
  readonly requests: Readonly<Partial<Record<S3Operation, number>>>;
  /** those of `requests` that are of `lease.json`, which a service renews every 15 s whatever else it does */
  readonly leaseRequests: Readonly<Partial<Record<S3Operation, number>>>;
  /** those of `requests` that are of payloads, and not of records of a store */
  readonly payloadRequests: Readonly<Partial<Record<S3Operation, number>>>;
  /** by kind; `refused` counts the times in which no connection was taken */
  readonly faults: Readonly<Partial<Record<FaultKind | 'refused', number>>>;
  /** requests that still wait for the end of their answer */
  readonly open: number;
}

const PAYLOAD = /\/(blobs|expires-[^/]+)\//;

export class Observations {
  readonly #requests = new Map<S3Operation, number>();
  readonly #leaseRequests = new Map<S3Operation, number>();
  readonly #payloadRequests = new Map<S3Operation, number>();
  readonly #faults = new Map<FaultKind | 'refused', number>();
  #open = 0;

  /** Counts a request as open until the returned function is called. */
  begin(operation: S3Operation, path: string): () => void {
    increment(this.#requests, operation);
    if (path.endsWith('/lease.json')) increment(this.#leaseRequests, operation);
    if (PAYLOAD.test(path)) increment(this.#payloadRequests, operation);
    this.#open += 1;
    return () => {
      this.#open -= 1;
    };
  }

  fault(kind: FaultKind | 'refused'): void {
    increment(this.#faults, kind);
  }

  get observed(): Observed {
    return {
      requests: Object.fromEntries(this.#requests),
      leaseRequests: Object.fromEntries(this.#leaseRequests),
      payloadRequests: Object.fromEntries(this.#payloadRequests),
      faults: Object.fromEntries(this.#faults),
      open: this.#open,
    };
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
