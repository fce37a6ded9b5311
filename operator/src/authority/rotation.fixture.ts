import { AUTHORITY_LIFE_MS, type AuthorityStep, afterStep, planAuthority } from './authority-plan.ts';
import { type AuthorityState, bundleOf, type SigningAuthority } from './authority-state.ts';
import { certificateLifetime, issuedAt, reasonToIssue } from './certificate-plan.ts';
import { type CertificateFacts, isSignedBy, readCertificate, readPair } from './read-certificate.ts';
import { makeAuthority, makeServerCertificate } from './x509.ts';

const BACKDATED_MS = 300_000;

interface Dated<T> {
  readonly since: number;
  readonly value: T;
}

/** Authorities and certificates as an operator makes them that looks now and then, and what was published when. */
export class SimulatedOperator {
  readonly steps: [AuthorityStep['kind'], at: number][] = [];
  readonly bundles: Dated<readonly CertificateFacts[]>[] = [];
  /** by namespace */
  readonly served = new Map<string, Dated<CertificateFacts>[]>();
  #state: AuthorityState;

  constructor(namespaces: readonly string[], now: number) {
    for (const namespace of namespaces) this.served.set(namespace, []);
    this.#state = afterStep(undefined, { kind: 'create' }, () => fresh(now), now);
    this.#publish(now);
  }

  request(text: string): void {
    this.#state = { ...this.#state, requested: text };
  }

  /** @param isReachable whether the API server takes the Secret of a namespace now */
  look(now: number, isReachable: (namespace: string) => boolean): void {
    for (;;) {
      const step = planAuthority({ state: this.#state, replacedAt: this.#replacedAt(), now, nowHere: now });
      if (step !== undefined) {
        this.#state = afterStep(this.#state, step, () => fresh(now), now);
        this.steps.push([step.kind, now]);
        this.#publish(now);
      }
      for (const namespace of this.served.keys()) if (isReachable(namespace)) this.#settle(namespace, now);
      if (step === undefined) return;
    }
  }

  #settle(namespace: string, now: number): void {
    const { current } = this.#state;
    const names = [`*.${namespace}.svc`];
    const authority = current.facts;
    const facts = this.served.get(namespace)?.at(-1)?.value;
    const found = facts ? { facts, isOfAuthority: signed(authority, facts) } : 'Missing';
    if (reasonToIssue(found, { names, authority }, now) === undefined) return;
    const made = makeServerCertificate(names, certificateLifetime(authority, now), current);
    this.served.get(namespace)?.push({ since: now, value: readPair(made) });
  }

  #replacedAt(): number | undefined {
    const { facts } = this.#state.current;
    let latest = 0;
    for (const history of this.served.values()) {
      const certificate = history.at(-1)?.value;
      if (certificate === undefined || !signed(facts, certificate)) return undefined;
      latest = Math.max(latest, issuedAt(certificate.notBefore));
    }
    return latest;
  }

  #publish(now: number): void {
    const parts = bundleOf(this.#state).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
    this.bundles.push({ since: now, value: parts.map(readCertificate) });
  }
}

/** What was there at some moment of the time from `from` to `to`. */
export function during<T>(history: readonly Dated<T>[], from: number, to: number): T[] {
  return history
    .filter(
      ({ since }, index) => since <= to && (history[index + 1]?.since ?? Number.POSITIVE_INFINITY) > from,
    )
    .map(({ value }) => value);
}

const known = new Map<string, boolean>();

/** Verifying takes long, so each pair is verified once. */
export function signed(authority: CertificateFacts, certificate: CertificateFacts): boolean {
  const key = authority.fingerprint + certificate.fingerprint;
  const result = known.get(key) ?? isSignedBy(certificate, authority);
  known.set(key, result);
  return result;
}

function fresh(now: number): SigningAuthority {
  const times = { notBefore: now - BACKDATED_MS, notAfter: now + AUTHORITY_LIFE_MS };
  const pair = makeAuthority(`CA ${now}`, times);
  return { ...pair, facts: readPair(pair) };
}
