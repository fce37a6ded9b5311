import { at, lineAt, textAt, timeAt } from './json-fields.ts';
import { type Reason, type ReasonName, readReason } from './reasons.ts';
import type { Authentication } from './schema/gateway.ts';

/** The JSON of `GET /status`: whose process of the service this is, and its state. Times are RFC 3339. */
export interface StatusReport {
  readonly store: { readonly namespace: string; readonly name: string };
  /** as given by `--role` */
  readonly role: string;
  readonly version: string;
  /** how a gateway knows its callers; absent: this process has none */
  readonly authentication?: Authentication | undefined;
  readonly storage: string;
  /** of the storage that this process found, as `store.json` has it */
  readonly storageID: string | null;
  /** as `lease.json` has it, of any holder; absent: none was read yet */
  readonly lease?: LeaseReport | undefined;
  readonly ready: boolean;
  /** why it is not ready */
  readonly error?: ErrorReport;
  /** `null`: this process does not reap */
  readonly reaper: ReaperReport | null;
  /** names this state, for `GET /status?since=REVISION` */
  readonly revision: string;
}

interface HolderReport {
  readonly holder: string;
  /** `NAMESPACE/NAME` */
  readonly store: string;
  readonly cluster?: string | undefined;
}

export interface LeaseReport extends HolderReport {
  readonly since: string;
  readonly renewed: string;
  readonly confirmed: boolean;
  readonly released: boolean;
  readonly shared: boolean;
  readonly takenFrom?: HolderReport | undefined;
}

export interface FailureReport {
  /** of the service's table of errors */
  readonly code: string;
  readonly reason?: ReasonName;
  /** of the reason */
  readonly parameters?: Readonly<Record<string, string>>;
}

export type ErrorReport = FailureReport & { readonly message: string };

export interface ReaperReport {
  readonly lastCompletedTime: string | undefined;
  /** the message of the last pass, while that failed */
  readonly lastError: string | undefined;
  /** the same for programs */
  readonly lastFailure?: FailureReport | undefined;
  /** why passes delete nothing; `undefined`: they do. `until`: when deletion goes on by itself, if the clocks agree until then */
  readonly waiting:
    | { readonly reason: 'clock_unconfirmed'; readonly message: string; readonly until: string }
    | undefined;
}

/** An error of a report. */
export interface ReadFailure {
  /** of the service's table of errors, or of a newer one */
  readonly code: string;
  readonly message: string;
  /** `undefined`: none, or one that this version does not know */
  readonly reason?: Reason | undefined;
}

/** A status report as far as the reader needs it; fields that are missing or of another type are left out. Times are ms since the epoch. */
export interface ReadStatusReport {
  /** `NAMESPACE/NAME` */
  readonly store: string;
  readonly storageID: string | undefined;
  /** whose lease of the storage was over, so that this store took it over; `from` is for people */
  readonly takenOver?: { readonly from: string; readonly time: number } | undefined;
  readonly version: string;
  readonly ready: boolean;
  readonly error: ReadFailure | undefined;
  readonly reaper: ReadReaperReport | undefined;
}

interface ReadReaperReport {
  readonly lastCompleted: number | undefined;
  readonly lastError: string | undefined;
  readonly lastFailure?: ReadFailure | undefined;
  readonly waiting?: { readonly until: number | undefined } | undefined;
}

/** Reads the answer to `GET /status`, of any program or version; `undefined`: it is no status report. */
export function readStatusReport(body: unknown): ReadStatusReport | undefined {
  const namespace = textAt(body, 'store', 'namespace');
  const name = textAt(body, 'store', 'name');
  const ready = at(body, 'ready');
  if (namespace === undefined || name === undefined || typeof ready !== 'boolean') return undefined;
  const store = `${namespace}/${name}`;
  const storageID = textAt(body, 'storageID');
  return {
    store,
    // The reader keeps it for ever, and any pod may bear the labels of a store.
    storageID: storageID === store || isIdOf(store, storageID) ? storageID : undefined,
    takenOver: readTakenOver(at(body, 'lease'), store),
    version: lineAt(body, 'version') ?? '',
    ready,
    error: ready ? undefined : readFailure(at(body, 'error'), lineAt(body, 'error', 'message')),
    reaper: readReaper(at(body, 'reaper')),
  };
}

function isIdOf(store: string, storageID = ''): boolean {
  return storageID.startsWith(`${store}/`) && /^[\w-]{1,64}$/.test(storageID.slice(store.length + 1));
}

/** All pods of the store have it in their reports, as the lease has it. */
function readTakenOver(lease: unknown, store: string): ReadStatusReport['takenOver'] {
  const holder = lineAt(lease, 'takenFrom', 'holder');
  const time = timeAt(lease, 'since');
  if (holder === undefined || time === undefined || textAt(lease, 'store') !== store) return undefined;
  const cluster = lineAt(lease, 'takenFrom', 'cluster');
  const where = cluster === undefined ? '' : ` of the cluster ${cluster}`;
  return { from: `${lineAt(lease, 'takenFrom', 'store') ?? 'unknown'}${where} (${holder})`, time };
}

function readFailure(failure: unknown, message = 'it does not say why'): ReadFailure {
  return {
    code: textAt(failure, 'code') ?? 'internal',
    message,
    reason: readReason(at(failure, 'reason'), at(failure, 'parameters')),
  };
}

function readReaper(reaper: unknown): ReadStatusReport['reaper'] {
  if (typeof reaper !== 'object' || reaper === null) return undefined;
  const lastError = lineAt(reaper, 'lastError');
  const lastFailure = at(reaper, 'lastFailure');
  const isWaiting = textAt(reaper, 'waiting', 'reason') === 'clock_unconfirmed';
  return {
    lastCompleted: timeAt(reaper, 'lastCompletedTime'),
    lastError,
    lastFailure: lastFailure === undefined ? undefined : readFailure(lastFailure, lastError),
    waiting: isWaiting ? { until: timeAt(reaper, 'waiting', 'until') } : undefined,
  };
}
