import type { ReadFailure } from '@largepayload/crds';
import { edited, errorReport, wellStore, withReports } from '../situation.fixture.ts';
import { ON_S3 } from '../stores.fixture.ts';
import { type Case, remembering, startingGateway, WELL, well } from './case.fixture.ts';

const NO_CERTIFICATE: ReadFailure = {
  code: 'storage_unavailable',
  message: 'there is no certificate: /var/run/secrets/payload-store/tls/tls.crt does not exist',
  reason: { name: 'CertificateMissing' },
};
const noKeysOf = (issuer: string): ReadFailure => ({
  code: 'token_keys_unavailable',
  message: `the keys of ${issuer} were never loaded: connect ECONNREFUSED`,
  reason: { name: 'TokenKeysMissing', issuer },
});
const CLUSTER = 'https://kubernetes.default.svc.cluster.local';
const CI = 'https://token.ci.example';
const oidc = [{ issuer: CI, audience: 'payloads', requiredClaims: { repository_owner: 'acme' } }];
const withIssuer = wellStore({ ...ON_S3, gateway: { ...ON_S3.gateway, oidc } });

const failing = (reason: string) => ({
  ...WELL,
  Ready: `False ${reason}`,
  GatewayAvailable: `False ${reason}`,
});

export const AUTHENTICATION_CASES: readonly Case[] = [
  {
    when: 'callers without a token are admitted, as the store is of version 0.1',
    situation: remembering(well, { observedGeneration: 2 }),
    expected: WELL,
  },
  {
    when: 'tokens are not looked at',
    situation: wellStore({ ...ON_S3, gateway: { ...ON_S3.gateway, authentication: 'None' } }),
    expected: WELL,
  },
  {
    when: 'no certificate was made yet',
    situation: withReports(startingGateway(), 'gateway', errorReport(NO_CERTIFICATE)),
    expected: failing('CertificateMissing'),
  },
  {
    when: "the keys of the cluster's tokens cannot be loaded",
    situation: withReports(startingGateway(), 'gateway', errorReport(noKeysOf(CLUSTER))),
    expected: failing('TokenKeysMissing'),
  },
  {
    when: 'the keys of an issuer of the spec cannot be loaded',
    situation: withReports(startingGateway({}, withIssuer), 'gateway', errorReport(noKeysOf(CI))),
    expected: failing('TokenKeysMissing'),
  },
  {
    when: 'gateways that would demand tokens cannot load keys, and those of before serve',
    situation: withReports(edited({ ready: false }), 'gateway', errorReport(noKeysOf(CLUSTER))),
    expected: { ...WELL, Ready: 'False TokenKeysMissing' },
  },
];
