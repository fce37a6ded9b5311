import { signingProblem } from '../../authority/authority-plan.ts';
import type { AuthorityState } from '../../authority/authority-state.ts';
import { withKeptNames } from '../../authority/certificate-names.ts';
import {
  certificateLifetime,
  findCertificate,
  type IssueReason,
  issuedAt,
  type Lifetime,
  reasonToIssue,
} from '../../authority/certificate-plan.ts';
import { fieldOf } from '../../authority/secret-data.ts';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { SECRETS } from '../../kubernetes/resources.ts';
import { TLS_SECRET } from '../../stores/names.ts';
import type { AuthorityKeeper } from './authority-keeper.ts';
import type {
  CertificateRequest,
  CertificateSource,
  CertificateStatus,
  ReplacedAt,
} from './certificate-source.ts';
import { isOwn, writeSecret } from './own-secret.ts';

export interface OwnCertificatesOptions {
  readonly api: KubernetesApi;
  readonly keeper: AuthorityKeeper;
  /** ms since the epoch, by the clock of the API server */
  readonly now: () => number;
  readonly onIssue?: (namespace: string, reason: IssueReason) => void;
}

/** Certificates that the operator signs: in the Secret `largepayload-tls` of each namespace, and that of the webhook. */
export class OwnCertificates implements CertificateSource {
  readonly #options: OwnCertificatesOptions;

  constructor(options: OwnCertificatesOptions) {
    this.#options = options;
  }

  get bundle(): string | undefined {
    return this.#options.keeper.bundle;
  }

  get problem(): string | undefined {
    return this.#options.keeper.problem;
  }

  get authority() {
    return this.#options.keeper.state?.current.facts;
  }

  async lookAtAuthority(replacedAt: ReplacedAt, signal: AbortSignal): Promise<boolean> {
    return await this.#options.keeper.look(replacedAt, signal);
  }

  async settle(request: CertificateRequest, signal: AbortSignal): Promise<CertificateStatus> {
    const { api, keeper, now } = this.#options;
    const { namespace, secret: name = TLS_SECRET } = request;
    const secret = await api.get({ resource: SECRETS, namespace, name }, signal);
    const isForeign = secret !== undefined && !isOwn(secret);
    const { state } = keeper;
    if (state === undefined) return {};
    const { facts: authority } = state.current;
    if (isForeign) return { problem: foreign(name), authority: authority.fingerprint };
    const pair = secret && { certificate: fieldOf(secret, 'tls.crt'), key: fieldOf(secret, 'tls.key') };
    const found = findCertificate(pair, authority);
    const facts = typeof found === 'string' ? undefined : found.facts;
    const names = request.keepsNames ? withKeptNames(request.names, facts?.names ?? []) : request.names;
    const reason = reasonToIssue(found, { names, authority }, now());
    if (reason === undefined) return { ...(facts && timesOf(facts)), authority: authority.fingerprint };
    const problem = signingProblem(state, now());
    if (problem !== undefined) return { problem, ...(facts && timesOf(facts)) };
    const lifetime = await this.#issue({ namespace, name }, names, secret, state, signal);
    this.#options.onIssue?.(namespace, reason);
    return { ...timesOf(lifetime), authority: authority.fingerprint };
  }

  async remove(namespace: string, signal: AbortSignal): Promise<void> {
    const { api } = this.#options;
    const secret = { resource: SECRETS, namespace, name: TLS_SECRET };
    const found = await api.get(secret, signal);
    if (found !== undefined && isOwn(found)) await api.delete(secret, found.metadata.uid, signal);
  }

  async #issue(
    place: { readonly namespace: string; readonly name: string },
    names: readonly string[],
    before: KubernetesObject | undefined,
    { current }: AuthorityState,
    signal: AbortSignal,
  ): Promise<Lifetime> {
    const { api, now } = this.#options;
    // Loaded only where something is made.
    const { makeServerCertificate } = await import('../../authority/x509.ts');
    const lifetime = certificateLifetime(current.facts, now());
    const made = makeServerCertificate(names, lifetime, current);
    const data = { 'tls.crt': made.certificate, 'tls.key': made.key, 'ca.crt': current.certificate };
    await writeSecret(api, before, { ...place, type: 'kubernetes.io/tls', data }, signal);
    return lifetime;
  }
}

function timesOf({ notBefore, notAfter }: Lifetime) {
  return { issuedAt: issuedAt(notBefore), notAfter };
}

function foreign(name: string): string {
  return `Secret ${name} exists and was not made by the operator, so it is left as it is; delete it, and the operator makes one`;
}
