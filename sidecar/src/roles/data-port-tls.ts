import type { LargePayloadStore } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import type { DataPortTls } from '../data-api/data-context.ts';
import { ServiceError } from '../errors/service-error.ts';
import { CertificateFolder } from '../http/tls/certificate-folder.ts';
import { authenticationOf } from './manifest-facts.ts';
import type { ServiceSettings } from './role.ts';

/** Whether a gateway of the store answers requests over TLS only. */
export function requiresTls(manifest: LargePayloadStore): boolean {
  return authenticationOf(manifest) === 'Token';
}

/** @returns `undefined`: the port takes plain HTTP only */
export function dataPortTls(
  { tlsFolder }: ServiceSettings,
  isRequired: boolean,
  log: FastifyBaseLogger,
): DataPortTls | undefined {
  if (tlsFolder === undefined) return undefined;
  return { certificate: new CertificateFolder(tlsFolder, log), isRequired };
}

/** Without a certificate a port that requires TLS answers no request. An expired one is served: readiness must not change by the clock. @throws ServiceError of status 503 */
export async function assertCertificate(tls: DataPortTls | undefined): Promise<void> {
  if (tls === undefined) return;
  const { certificate, isRequired } = tls;
  const pair = await certificate.current();
  if (!isRequired || pair !== undefined) return;
  throw new ServiceError(
    'tls_required',
    `this gateway takes requests over TLS only and has no certificate: ${certificate.problem}`,
    { reason: { name: 'CertificateMissing' } },
  );
}
