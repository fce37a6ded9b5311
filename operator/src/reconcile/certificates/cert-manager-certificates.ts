import { at, listAt, textAt } from '@largepayload/crds';
import { withKeptNames } from '../../authority/certificate-names.ts';
import { CERTIFICATE_LIFE_MS, RENEWED_BEFORE_END_MS } from '../../authority/certificate-plan.ts';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { CERTIFICATES, kindOf } from '../../kubernetes/resources.ts';
import { OBJECT_HASH } from '../../stores/labels.ts';
import { TLS_SECRET } from '../../stores/names.ts';
import { hashValue } from '../../stores/stable-hash.ts';
import type { CertificateRequest, CertificateSource, CertificateStatus } from './certificate-source.ts';
import { isOwn, OWN_LABELS } from './own-secret.ts';

export interface CertManagerCertificatesOptions {
  readonly api: KubernetesApi;
  /** `issuerRef` of every Certificate */
  readonly issuer: { readonly group: string; readonly kind: string; readonly name: string };
  /** certificates that clients trust, as PEM: the operator may not read cert-manager's Secrets */
  readonly bundle: string;
}

/** Certificates that cert-manager makes, each as a Certificate of the operator asks. The operator needs no Secret for that. */
export class CertManagerCertificates implements CertificateSource {
  readonly #options: CertManagerCertificatesOptions;
  readonly problem = undefined;
  readonly authority = undefined;

  constructor(options: CertManagerCertificatesOptions) {
    this.#options = options;
  }

  get bundle(): string {
    return this.#options.bundle;
  }

  async lookAtAuthority(): Promise<boolean> {
    return false;
  }

  async settle(request: CertificateRequest, signal: AbortSignal): Promise<CertificateStatus> {
    const { api } = this.#options;
    const { namespace } = request;
    const found = await api.get({ resource: CERTIFICATES, namespace, name: TLS_SECRET }, signal);
    if (found !== undefined && !isOwn(found)) return { problem: FOREIGN };
    const wanted = this.#certificate(request, found);
    const isSame =
      textAt(found?.metadata, 'annotations', OBJECT_HASH) === wanted.metadata.annotations?.[OBJECT_HASH];
    const certificate =
      isSame && found ? found : await api.apply(CERTIFICATES, wanted, { force: true }, signal);
    return statusOf(certificate);
  }

  async remove(namespace: string, signal: AbortSignal): Promise<void> {
    const { api } = this.#options;
    const certificate = { resource: CERTIFICATES, namespace, name: TLS_SECRET };
    const found = await api.get(certificate, signal);
    if (found !== undefined && isOwn(found)) await api.delete(certificate, found.metadata.uid, signal);
  }

  #certificate(request: CertificateRequest, found: KubernetesObject | undefined): KubernetesObject {
    const { namespace, names, keepsNames } = request;
    const spec = {
      secretName: TLS_SECRET,
      dnsNames: keepsNames ? withKeptNames(names, dnsNamesOf(found)) : names,
      duration: hours(CERTIFICATE_LIFE_MS),
      renewBefore: hours(RENEWED_BEFORE_END_MS),
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
      usages: ['digital signature', 'server auth'],
      issuerRef: this.#options.issuer,
    };
    const annotations = { [OBJECT_HASH]: hashValue(spec) };
    const metadata = { namespace, name: TLS_SECRET, labels: OWN_LABELS, annotations };
    return { ...kindOf(CERTIFICATES), metadata, spec };
  }
}

function dnsNamesOf(certificate: KubernetesObject | undefined): string[] {
  const names = at(certificate?.spec, 'dnsNames');
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

/** cert-manager's own words are the best advice. */
function statusOf({ status }: KubernetesObject): CertificateStatus {
  const notAfter = Date.parse(textAt(status, 'notAfter') ?? '');
  const ready = listAt(status, 'conditions').find((condition) => textAt(condition, 'type') === 'Ready');
  const isFailing = textAt(ready, 'status') === 'False';
  return {
    ...(isFailing && {
      problem: `cert-manager: ${textAt(ready, 'message') ?? 'the Certificate is not ready'}`,
    }),
    ...(!Number.isNaN(notAfter) && { notAfter }),
  };
}

/** As Go writes a duration, and cert-manager takes it. */
function hours(ms: number): string {
  return `${ms / 3_600_000}h0m0s`;
}

const FOREIGN = `Certificate ${TLS_SECRET} exists and was not made by the operator, so it is left as it is; delete it, and the operator makes one`;
