/** Who uses a storage now: the content of `lease.json`, beside `store.json`. */
export interface Lease extends LeaseHolder {
  /** ms since the epoch, when this holder began to use the storage */
  readonly since: number;
  /** ms since the epoch */
  readonly renewed: number;
  /** whether the holder read it as its own a while after it began, so that no other resource began at the same moment */
  readonly confirmed: boolean;
  /** whether a process that renewed it has ended: over, unless another one of the holder renews it */
  readonly released: boolean;
  /** whether others may use the storage too, if they share it as well */
  readonly shared: boolean;
  /** whose lease this holder found over, and took the place of */
  readonly takenFrom?: LeaseHolder | undefined;
}

export interface LeaseHolder {
  /** in a cluster the UID of the resource, elsewhere `NAMESPACE/NAME` */
  readonly holder: string;
  /** `NAMESPACE/NAME` */
  readonly store: string;
  /** the cluster's name; `undefined`: outside of any */
  readonly cluster?: string | undefined;
}

/** All processes get it; gateways and standalone processes put it. Nobody deletes it. */
export const LEASE_NAME = 'lease.json';

/** What is in the place of the lease. */
export type FoundLease = Lease | 'absent' | 'unreadable';

/** Longest text of a field, UTF-16 units: a namespace, a slash and a name are at most 104, a DNS name 253. */
const LONGEST_TEXT = 253;

/** Whether a text can stand in a lease and be shown to people: 1 to 253 characters, no space, no control character. */
export function isLeaseText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT && /^[\x21-\x7e]+$/.test(value);
}

export function formatLease({ since, renewed, ...lease }: Lease): string {
  const times = { since: new Date(since).toISOString(), renewed: new Date(renewed).toISOString() };
  return `${JSON.stringify({ ...lease, ...times })}\n`;
}

/** Trusts nothing of the text: whatever is not as `formatLease` writes it is unreadable. */
export function parseLease(text: string): Lease | 'unreadable' {
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const holder = holderOf(fields);
    const takenFrom = fields.takenFrom === undefined ? undefined : holderOf(fields.takenFrom);
    const [since, renewed] = [timeOf(fields.since), timeOf(fields.renewed)];
    const { confirmed, released, shared } = fields;
    if (holder === undefined || since === undefined || renewed === undefined) return 'unreadable';
    if (takenFrom === undefined && fields.takenFrom !== undefined) return 'unreadable';
    if (![confirmed, released, shared].every((flag) => typeof flag === 'boolean')) return 'unreadable';
    return {
      ...{ ...holder, since, renewed },
      ...{ confirmed: confirmed === true, released: released === true, shared: shared === true },
      ...(takenFrom !== undefined && { takenFrom }),
    };
  } catch {
    // Not JSON, or `null`.
    return 'unreadable';
  }
}

function holderOf(value: unknown): LeaseHolder | undefined {
  const { holder, store, cluster } = (value ?? {}) as Record<string, unknown>;
  if (!isLeaseText(holder) || !isLeaseText(store)) return undefined;
  if (cluster === undefined) return { holder, store };
  return isLeaseText(cluster) ? { holder, store, cluster } : undefined;
}

function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

/** `payments/orders of the cluster prod-eu (UID)` */
export function describeHolder({ holder, store, cluster }: LeaseHolder): string {
  if (cluster !== undefined) return `${store} of the cluster ${cluster} (${holder})`;
  return holder === store ? `${store}, run outside of a cluster` : `${store} (${holder})`;
}
