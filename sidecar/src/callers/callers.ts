import type { IncomingMessage } from 'node:http';
import type { Authentication } from '@largepayload/crds';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { peerOf } from '../http/peer.ts';
import { parseKey } from '../keys/key.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Caller } from '../payload-service/payload-service.ts';
import { bearerToken } from './authorization-header.ts';
import { type Identity, identityOf } from './caller-identity.ts';
import {
  ALL_RIGHTS,
  denialOf,
  type Rights,
  rightsOf,
  type ServedNamespaces,
  type StorePolicy,
} from './caller-rules.ts';
import { denialOfRequest, type Wish } from './request-rules.ts';
import type { TokenVerifier, VerifiedToken } from './tokens/token-verifier.ts';

const ANONYMOUS = 'anonymous';

/** A caller that may use the store. */
export interface AdmittedCaller extends Caller {
  /** for people */
  readonly name: string;
  /** as metrics name it: of Kubernetes, or `oidc` or `anonymous` */
  readonly namespace: string;
  readonly rights: Rights;
}

export interface CallersSettings {
  readonly authentication: Authentication;
  readonly policy: StorePolicy;
  /** `undefined`: tokens are not looked at (`None`) */
  readonly verifier?: TokenVerifier | undefined;
}

/** Decides who asks, and what that caller may ask for, by the head of each request alone. */
export class Callers {
  readonly #authentication: Authentication;
  readonly #policy: StorePolicy;
  readonly #served: ServedNamespaces;
  readonly #verifier: TokenVerifier | undefined;
  readonly #metrics: Pick<Metrics, 'recordCaller'>;
  readonly #admitted = new WeakMap<VerifiedToken, AdmittedCaller>();

  constructor({ authentication, policy, verifier }: CallersSettings, metrics: Pick<Metrics, 'recordCaller'>) {
    this.#authentication = authentication;
    this.#policy = policy;
    const { temporalNamespaces } = policy.spec;
    this.#served = temporalNamespaces && new Set(temporalNamespaces);
    this.#verifier = verifier;
    this.#metrics = metrics;
  }

  /**
   * Who sends the request.
   * @throws ServiceError `token_missing`, `token_refused`, `token_keys_unavailable`, `busy`, `caller_denied`
   */
  async identify(request: Pick<IncomingMessage, 'rawHeaders' | 'socket'>): Promise<AdmittedCaller> {
    const address = peerOf(request);
    if (this.#verifier === undefined) return anonymous(address);
    let label = 'other';
    try {
      const token = bearerToken(request.rawHeaders);
      if (token === undefined) {
        label = ANONYMOUS;
        return this.#withoutToken(address);
      }
      const verified = await this.#verifier.verify(token, address);
      const known = this.#admitted.get(verified);
      if (known !== undefined) return known;
      const identity = identityOf(verified);
      label = labelOf(identity);
      const caller = this.#admit(identity, label);
      this.#admitted.set(verified, caller);
      return caller;
    } catch (error) {
      const refusal = toServiceError(error);
      this.#metrics.recordCaller(label, refusal.code);
      throw refusal;
    }
  }

  /** @param namespace of Temporal @throws ServiceError `caller_denied`, `namespace_denied` */
  assertMayPut(caller: AdmittedCaller, namespace: string): void {
    this.#assert(caller, 'write', namespace);
  }

  /** Whether or not a payload is stored under the key. @throws ServiceError `namespace_denied`, `invalid_key` */
  assertMayGet(caller: AdmittedCaller, key: string): void {
    const isRestricted = this.#served !== undefined || caller.rights.read !== undefined;
    if (isRestricted) this.#assert(caller, 'read', parseKey(key).namespace);
    else this.#metrics.recordCaller(caller.namespace, 'ok');
  }

  /** For what bears no namespace. @throws ServiceError `namespace_denied` */
  assertMayGetVersionOne(caller: AdmittedCaller): void {
    this.#assert(caller, 'read', undefined);
  }

  #assert(
    { name, namespace: label, rights }: AdmittedCaller,
    access: Wish['access'],
    namespace?: string,
  ): void {
    const denial = denialOfRequest({ access, namespace, rights, caller: name, served: this.#served });
    this.#metrics.recordCaller(label, denial?.code ?? 'ok');
    if (denial !== undefined) throw new ServiceError(denial.code, denial.message);
  }

  #withoutToken(address: string): AdmittedCaller {
    if (this.#authentication === 'Migrate') return anonymous(address);
    const { namespace, name } = this.#policy;
    throw new ServiceError(
      'token_missing',
      `the store ${namespace}/${name} takes requests with a token only: give the client a token file, or a sidecar`,
    );
  }

  #admit(identity: Identity, namespace: string): AdmittedCaller {
    const denial = denialOf(identity, this.#policy);
    if (denial !== undefined) throw new ServiceError('caller_denied', denial);
    const { name, peer } = identity;
    return { name, peer, namespace, rights: rightsOf(identity, this.#policy) };
  }
}

function labelOf(identity: Identity): string {
  return identity.kind === 'kubernetes' ? identity.namespace : 'oidc';
}

function anonymous(peer: string): AdmittedCaller {
  return { name: 'a caller without a token', peer, namespace: ANONYMOUS, rights: ALL_RIGHTS };
}
