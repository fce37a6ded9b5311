import {
  AUTHORITY_LIFE_MS,
  type AuthorityStep,
  afterStep,
  planAuthority,
} from '../../authority/authority-plan.ts';
import {
  AUTHORITY_SECRET,
  AuthorityDamagedError,
  authorityFields,
  ROTATE,
  readAuthorities,
} from '../../authority/authority-secret.ts';
import { type AuthorityState, bundleOf, type SigningAuthority } from '../../authority/authority-state.ts';
import { readPair } from '../../authority/read-certificate.ts';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import type { RecordedEvent } from '../../kubernetes/event-recorder.ts';
import { SECRETS } from '../../kubernetes/resources.ts';
import type { ReplacedAt } from './certificate-source.ts';
import { writeSecret } from './own-secret.ts';

/** An authority counts as valid for clients whose clocks are behind by as much. */
const BACKDATED_MS = 5 * 60_000;

export interface AuthorityKeeperOptions {
  readonly api: KubernetesApi;
  /** of the operator */
  readonly namespace: string;
  /** ms since the epoch, by the clock of the API server */
  readonly now: () => number;
  /** Records an Event on the Secret. Never throws. */
  readonly record: (secret: KubernetesObject, event: Omit<RecordedEvent, 'action'>) => void;
  readonly onStep?: (step: AuthorityStep['kind']) => void;
}

/** Keeps the authorities in their Secret: makes the first one, and rotates them. */
export class AuthorityKeeper {
  readonly #options: AuthorityKeeperOptions;
  #state: AuthorityState | undefined;
  #problem: string | undefined;

  constructor(options: AuthorityKeeperOptions) {
    this.#options = options;
  }

  /** as last seen; `undefined`: nothing may be signed now */
  get state(): AuthorityState | undefined {
    return this.#problem === undefined ? this.#state : undefined;
  }

  /** What clients trust, as PEM; also while the Secret is damaged, if it was seen before. */
  get bundle(): string | undefined {
    return this.#state && bundleOf(this.#state);
  }

  /** a sentence for people */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Looks at the Secret and does one step.
   * @returns whether there may be another step at once
   * @throws ApiError
   */
  async look(replacedAt: ReplacedAt, signal: AbortSignal): Promise<boolean> {
    const { api, namespace, now } = this.#options;
    const secret = await api.get({ resource: SECRETS, namespace, name: AUTHORITY_SECRET }, signal);
    if (secret === undefined) return await this.#make(signal);
    const state = this.#read(secret);
    if (state === undefined) return false;
    this.#state = state;
    const replaced = replacedAt(state.current.facts.fingerprint);
    const step = planAuthority({ state, replacedAt: replaced, now: now(), nowHere: Date.now() });
    if (step === undefined) return false;
    const after = await this.#after(state, step);
    const written = await this.#write(secret, after, signal);
    this.#settled(step, after, written);
    return true;
  }

  /** A Secret that was deleted under a running operator is written again, so that no client loses its trust. */
  async #make(signal: AbortSignal): Promise<boolean> {
    const known = this.#state;
    const state = known ?? (await this.#after(undefined, { kind: 'create' }));
    const written = await this.#write(undefined, state, signal);
    this.#problem = undefined;
    if (known === undefined) this.#settled({ kind: 'create' }, state, written);
    else
      this.#report(written, 'Warning', 'AuthorityRestored', 'the Secret was deleted, and was written again');
    return true;
  }

  /** `undefined`: it is damaged. It may be in use, so it is never replaced. */
  #read(secret: KubernetesObject): AuthorityState | undefined {
    try {
      const state = readAuthorities(secret);
      this.#problem = undefined;
      return state;
    } catch (error) {
      if (!(error instanceof AuthorityDamagedError)) throw error;
      const { namespace } = this.#options;
      this.#problem = `Secret ${AUTHORITY_SECRET} of namespace ${namespace} cannot be used: ${error.message}. No certificate is made; those that exist serve until they expire. Restore it from a backup, or delete it to get the authority that the operator remembers, or else a new one`;
      this.#report(secret, 'Warning', 'AuthorityDamaged', this.#problem);
      return undefined;
    }
  }

  async #after(before: AuthorityState | undefined, step: AuthorityStep): Promise<AuthorityState> {
    const now = this.#options.now();
    // Loaded only where something is made.
    const { makeAuthority } = await import('../../authority/x509.ts');
    const fresh = (): SigningAuthority => {
      const notBefore = now - BACKDATED_MS;
      const name = `large-payload ${new Date(now).toISOString()}`;
      const pair = makeAuthority(name, { notBefore, notAfter: now + AUTHORITY_LIFE_MS });
      return { ...pair, facts: readPair(pair) };
    };
    return afterStep(before, step, fresh, now);
  }

  async #write(before: KubernetesObject | undefined, state: AuthorityState, signal: AbortSignal) {
    const { api, namespace } = this.#options;
    const { data, annotations } = authorityFields(state);
    // The request is a person's: it is written only where it would be lost.
    const request =
      before === undefined && state.requested !== undefined ? { [ROTATE]: state.requested } : {};
    const content = { data, annotations: { ...annotations, ...request } };
    return await writeSecret(
      api,
      before,
      { namespace, name: AUTHORITY_SECRET, type: 'Opaque', ...content },
      signal,
    );
  }

  #settled(step: AuthorityStep, state: AuthorityState, secret: KubernetesObject): void {
    this.#state = state;
    this.#options.onStep?.(step.kind);
    const [reason, note] = NOTES[step.kind];
    this.#report(secret, step.kind === 'restamp' ? 'Warning' : 'Normal', reason, note);
  }

  #report(secret: KubernetesObject, type: RecordedEvent['type'], reason: string, note: string): void {
    this.#options.record(secret, { type, reason, note });
  }
}

const NOTES: Readonly<Record<AuthorityStep['kind'], readonly [reason: string, note: string]>> = {
  create: ['AuthorityCreated', 'a new certificate authority signs from now on'],
  begin: ['RotationBegun', 'another certificate authority is published, and signs later'],
  promote: [
    'AuthorityChanged',
    'the new certificate authority signs from now on, and all certificates are made anew',
  ],
  drop: ['RotationCompleted', 'the previous certificate authority is trusted no longer'],
  restamp: ['TimeCorrected', 'the time of the last step was in the future or could not be read, and is now'],
};
