import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '../../drivers/driver.ts';
import { StorageError } from '../../errors/storage-error.ts';
import type { Log } from '../../log/log.ts';
import { elapsedSince, type Moment, momentNow } from '../../time/moment.ts';
import { timeLimit } from '../../time/time-limit.ts';
import { putSmallObject, readSmallObject } from '../small-object.ts';
import {
  describeHolder,
  type FoundLease,
  formatLease,
  LEASE_NAME,
  type Lease,
  type LeaseHolder,
  parseLease,
} from './lease.ts';
import {
  decideLease,
  LEASE_TIMES,
  type LeaseDecision,
  type LeaseTimes,
  type LeaseUser,
} from './lease-decision.ts';
import { inUse } from './lease-messages.ts';

/** Stands for the holder of a lease that could not be read. */
const UNKNOWN: LeaseHolder = { holder: 'unknown', store: 'unknown' };
/**
 * The longest time of one look, from reading to writing. It is shorter than `confirmAfterMs`, so that what it decided is written
 * before others delete; and far shorter than a lease holds, so that a process that was stopped in between writes no lease
 * over the one of another resource.
 */
const LOOK_LIMIT_MS = 8_000;
/** The end of a process waits so long for the lease to be given back. */
const RELEASE_LIMIT_MS = 2_000;
/** Looks are this share earlier or later, so that the processes of a store do not look in step. */
const JITTER = 0.1;

export interface StorageLeaseSettings {
  /** how long a PUT relies on the last look that found it ours, ms */
  readonly lifetimeMs: number;
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockToleranceMs: number;
  /** whether of several creates exactly one succeeds, as on a folder; services that speak S3 may ignore the condition */
  readonly createsExactly: boolean;
  readonly times?: LeaseTimes | undefined;
}

/**
 * Keeps others from a storage that is in use, by a lease that gateways and standalone processes renew. Two clusters that are
 * given one manifest and one bucket would otherwise each delete what the other one needs.
 */
export class StorageLease {
  readonly #driver: Driver;
  readonly #user: LeaseUser;
  readonly #log: Log;
  readonly #settings: StorageLeaseSettings;
  readonly #times: LeaseTimes;
  #found: FoundLease = 'absent';
  /** when the last read began */
  #readAt: Moment | undefined;
  /** of what was found, and since when it is the same; ms, monotonic */
  #seen: { readonly text: string; readonly since: number } | undefined;
  /** when the last look began, if it found it ours */
  #heldAt: Moment | undefined;
  /** since when it is ours without a break; ms, monotonic */
  #heldSince: number | undefined;
  #createdExactly = false;
  /** The storage is too full for a lease, for others too. */
  #noRoom = false;
  #looking: Promise<void> | undefined;
  #lastReported = '';

  constructor(driver: Driver, user: LeaseUser, log: Log, settings: StorageLeaseSettings) {
    this.#driver = driver;
    this.#user = user;
    this.#log = log;
    this.#settings = settings;
    this.#times = settings.times ?? LEASE_TIMES;
  }

  /** as read last; `undefined`: there was none that can be read */
  get found(): Lease | undefined {
    return typeof this.#found === 'string' ? undefined : this.#found;
  }

  /**
   * Begins to use the storage, or throws why that cannot be.
   * @param driver of the storage, which may not have arrived yet
   * @throws StorageInUseError, StorageError
   */
  async acquire(driver: Driver, signal: AbortSignal): Promise<void> {
    await this.#look(driver, 'write', AbortSignal.any([signal, lookLimit()]));
  }

  /** Renews it until the signal is aborted. Never rejects: what fails is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    if (!this.#user.mayWrite) return;
    while (!signal.aborted) {
      const pause = this.#times.lookEveryMs * (1 - JITTER + 2 * JITTER * Math.random());
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      const limit = AbortSignal.any([signal, lookLimit()]);
      const failure = await this.#look(this.#driver, 'write', limit).catch(({ message }: Error) => message);
      this.#report(failure, signal);
    }
  }

  /** Returns at once while the last look holds; one look serves all who wait for it. @throws StorageInUseError, StorageError */
  async assertHeld(): Promise<void> {
    if (this.#heldAt !== undefined && elapsedSince(this.#heldAt) < this.#settings.lifetimeMs) return;
    this.#looking ??= this.check().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** Looks now. @throws StorageInUseError, StorageError */
  async check(): Promise<void> {
    await this.#look(this.#driver, 'read', lookLimit());
  }

  /**
   * Whether what is stored may be deleted: it is ours, and was still a while after it was written, so that no other process wrote at
   * the same moment. Waits until that can be told. @throws StorageInUseError, StorageError; the signal's reason
   */
  async assertMayDelete(signal: AbortSignal): Promise<void> {
    await this.assertHeld();
    while (!this.#isConfirmed()) {
      const heldFor = performance.now() - (this.#heldSince ?? 0);
      await sleep(Math.max(0, this.#times.confirmAfterMs - heldFor) + 1, undefined, { signal });
      await this.check();
    }
  }

  /** Gives the lease back, as a process that renews it ends; others of the holder renew it again. Never rejects. */
  async release(): Promise<void> {
    if (!this.#user.mayWrite || this.#heldSince === undefined) return;
    const limit = timeLimit(RELEASE_LIMIT_MS, 'the lease of the storage (lease.json), given back');
    try {
      const found = await this.#read(this.#driver, limit);
      if (typeof found === 'string' || found.holder !== this.#user.holder) return;
      await this.#write(this.#driver, { ...found, renewed: Date.now(), released: true }, limit);
    } catch (error) {
      this.#log.warn(
        { reason: (error as Error).message },
        'the lease of the storage could not be given back',
      );
    }
  }

  /** @returns why it could not be written, though it is ours; empty: it could, or needed not */
  async #look(driver: Driver, access: 'read' | 'write', signal: AbortSignal): Promise<string> {
    const begun = momentNow();
    try {
      let decision = this.#decide(await this.#read(driver, signal));
      if (access === 'write' && (decision.kind === 'begin' || decision.kind === 'takeOver')) {
        await this.#begin(driver, decision.kind, signal);
        decision = this.#decide(await this.#read(driver, signal));
      }
      this.#assertHolds(decision);
      this.#heldAt = begun;
      this.#heldSince ??= begun.monotonicTime;
      if (access === 'write' && decision.kind === 'hold' && decision.renew)
        return await this.#renew(driver, signal);
      return this.#noRoom ? 'the storage is full' : '';
    } catch (error) {
      this.#heldAt = undefined;
      throw error;
    }
  }

  async #read(driver: Driver, signal: AbortSignal): Promise<FoundLease> {
    this.#readAt = momentNow();
    const object = await readSmallObject(driver, LEASE_NAME, signal);
    const found =
      object === undefined ? 'absent' : object === 'unreadable' ? object : parseLease(object.text);
    // All unreadable content counts as the same, so that changes of it do not make it last.
    const text = typeof found === 'string' ? found : formatLease(found);
    if (this.#seen?.text !== text) this.#seen = { text, since: performance.now() };
    this.#found = found;
    return found;
  }

  #decide(found: FoundLease): LeaseDecision {
    const { clockToleranceMs } = this.#settings;
    const seenForMs = performance.now() - (this.#seen?.since ?? performance.now());
    return decideLease({ found, seenForMs, now: Date.now(), clockToleranceMs }, this.#user, this.#times);
  }

  /** @throws StorageInUseError */
  #assertHolds(decision: LeaseDecision): void {
    if (decision.kind === 'hold') return;
    // The lease was removed, or could not be written. No other resource has it, and the next look writes it.
    if (decision.kind === 'begin' && (this.#heldSince !== undefined || this.#noRoom)) return;
    if (decision.kind === 'takeOver' && this.#noRoom) return;
    this.#heldSince = undefined;
    this.#createdExactly = false;
    const why = decision.kind === 'refuse' ? decision : { kind: 'wait' as const, milliseconds: 0 };
    throw inUse(this.#found, decision.kind === 'wait' ? decision : why, this.#user);
  }

  async #begin(driver: Driver, how: 'begin' | 'takeOver', signal: AbortSignal): Promise<void> {
    const takenFrom = how === 'begin' ? undefined : (this.found ?? UNKNOWN);
    const from = takenFrom && holderOf(takenFrom);
    const lease = this.#lease({ since: Date.now(), confirmed: false, takenFrom: from });
    try {
      const outcome = await this.#write(driver, lease, signal, how === 'begin');
      this.#createdExactly = how === 'begin' && outcome === 'created' && this.#settings.createsExactly;
      this.#noRoom = false;
    } catch (error) {
      if (!(error instanceof StorageError && error.failure === 'full')) throw error;
      this.#noRoom = true;
      return;
    }
    if (takenFrom === undefined) return;
    this.#log.warn(
      { from: describeHolder(takenFrom) },
      'the storage was used by another, whose lease is over: this process has taken it over',
    );
  }

  /** What was read is what counts: it stays ours also where it cannot be written. @returns why not; empty: it was */
  async #renew(driver: Driver, signal: AbortSignal): Promise<string> {
    const before = this.found;
    if (before === undefined) return '';
    const confirmed = this.#isConfirmed();
    const { since, takenFrom } =
      before.holder === this.#user.holder ? before : { since: Date.now(), takenFrom: undefined };
    const lease = this.#lease({ since, confirmed, takenFrom });
    return await this.#write(driver, lease, signal).then(
      () => '',
      (error) => (error as Error).message,
    );
  }

  #lease(fields: Pick<Lease, 'since' | 'confirmed' | 'takenFrom'>): Lease {
    const { shared } = this.#user;
    return { ...holderOf(this.#user), shared, ...fields, renewed: Date.now(), released: false };
  }

  /**
   * A timer may stand still while the machine sleeps, so the clocks are asked too. A request that the storage, or the kernel,
   * already has when the process stops may still arrive later.
   */
  async #write(driver: Driver, lease: Lease, signal: AbortSignal, isFirst = false) {
    if (this.#readAt !== undefined && elapsedSince(this.#readAt) > LOOK_LIMIT_MS)
      throw new StorageError(
        'timeout',
        'this process was interrupted after it had read the lease of the storage (lease.json), so it writes none',
      );
    const how = isFirst ? { keepExisting: true } : { replace: true };
    return await putSmallObject(driver, LEASE_NAME, formatLease(lease), { signal, ...how });
  }

  #isConfirmed(): boolean {
    const { found } = this;
    // If it cannot be written, or no process of this version writes one, there is no other resource to agree with.
    if (found === undefined || this.#noRoom || this.#createdExactly) return true;
    if (found.confirmed || found.holder !== this.#user.holder) return true;
    return performance.now() - (this.#heldSince ?? performance.now()) >= this.#times.confirmAfterMs;
  }

  /** Logs once why the lease cannot be renewed, and once that it is renewed again. */
  #report(reason: string, signal: AbortSignal): void {
    // The end of the process ends a look too, which proves nothing about the storage.
    if (reason === this.#lastReported || signal.aborted) return;
    this.#lastReported = reason;
    if (reason === '') this.#log.info('the lease of the storage is renewed again');
    else this.#log.warn({ reason }, 'the lease of the storage cannot be renewed; it is tried again');
  }
}

function holderOf({ holder, store, cluster }: LeaseHolder): LeaseHolder {
  return { holder, store, cluster };
}

function lookLimit(): AbortSignal {
  return timeLimit(LOOK_LIMIT_MS, 'the lease of the storage (lease.json)');
}
