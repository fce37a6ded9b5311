import type { Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { WEBHOOK_SECRET } from '../authority/certificate-names.ts';
import { readPair } from '../authority/read-certificate.ts';
import { fieldOf } from '../authority/secret-data.ts';
import type { KubernetesApi, KubernetesObject } from '../kubernetes/api.ts';
import { SECRETS } from '../kubernetes/resources.ts';

/** Shorter than an authority stays published after its last certificate was replaced, by far. */
const LOOK_MS = 10_000;
/** While there is no certificate, the replica can serve nothing. */
const FIRST_LOOK_MS = 1_000;
/**
 * A leader that was started without the webhook never makes the Secret. A rollout ends that leader only when this replica is
 * ready, so readiness waits for the Secret no longer than this. A leader that makes it needs seconds.
 */
const WAIT_FOR_LEADER_MS = 30_000;

export interface ServedCertificateParts {
  readonly api: Pick<KubernetesApi, 'get'>;
  /** of the operator, which has the Secret */
  readonly namespace: string;
  readonly server: Pick<Server, 'setSecureContext'>;
  readonly log: Logger;
  /** ms [30,000] */
  readonly waitForLeaderMs?: number;
}

/** Has the server use the certificate of the Secret, for the connections that begin from then on. The last good one stays in use. */
export class ServedCertificate {
  readonly #parts: ServedCertificateParts;
  #fingerprint: string | undefined;
  /** why the Secret cannot be used, as it was logged last */
  #problem: string | undefined;
  #isAbsent = false;
  readonly #begun = performance.now();

  constructor(parts: ServedCertificateParts) {
    this.#parts = parts;
  }

  /** Why the replica is not ready, as a sentence; `undefined`: a certificate is in use, or this replica has to lead to make one. */
  get missing(): string | undefined {
    if (this.#fingerprint !== undefined) return undefined;
    const { waitForLeaderMs = WAIT_FOR_LEADER_MS } = this.#parts;
    if (this.#isAbsent && performance.now() - this.#begun >= waitForLeaderMs) return undefined;
    return this.#problem ?? 'the certificate of the webhook is still being read';
  }

  /** Looks at the Secret until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal).catch((error: Error) => this.#report(error.message, signal));
      const pauseMs = this.#fingerprint === undefined ? FIRST_LOOK_MS : LOOK_MS;
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { api, namespace, server, log } = this.#parts;
    const secret = await api.get({ resource: SECRETS, namespace, name: WEBHOOK_SECRET }, signal);
    this.#isAbsent = secret === undefined;
    if (secret === undefined)
      throw new Error('it does not exist yet: the replica that leads, or cert-manager, makes it');
    const pair = pairOf(secret);
    const { fingerprint, notAfter } = readPair(pair);
    this.#problem = undefined;
    if (fingerprint === this.#fingerprint) return;
    server.setSecureContext({ cert: pair.certificate, key: pair.key });
    this.#fingerprint = fingerprint;
    log.info({ notAfter: new Date(notAfter).toISOString() }, 'the webhook uses another certificate');
  }

  #report(reason: string, signal: AbortSignal): void {
    const { log, namespace } = this.#parts;
    const problem = `the Secret ${WEBHOOK_SECRET} of namespace ${namespace} cannot be used: ${reason}`;
    if (!signal.aborted && problem !== this.#problem) log.warn(problem);
    this.#problem = problem;
  }
}

function pairOf(secret: KubernetesObject) {
  const [certificate, key] = [fieldOf(secret, 'tls.crt'), fieldOf(secret, 'tls.key')];
  if (certificate === undefined || key === undefined) throw new Error('it lacks tls.crt or tls.key');
  return { certificate, key };
}
