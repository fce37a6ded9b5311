import type { ReadFailure } from '@largepayload/crds';
import { CONFIG_MAPS } from '../../kubernetes/resources.ts';
import { desiredObjects } from '../desired-objects.ts';
import { appliedObjects, but, edited, errorReport, wellStore, withReports } from '../situation.fixture.ts';
import { BUNDLE, ON_S3, SETTINGS, store } from '../stores.fixture.ts';
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

const STARTERS = { ...ON_S3, allowedNamespaces: ['starters'] };
const certificates = desiredObjects(store(STARTERS), { ...SETTINGS, bundle: BUNDLE }).slice(-2);
const published = (message: string) => {
  const situation = but(wellStore(STARTERS), {
    refusals: [{ resource: CONFIG_MAPS, namespace: 'starters', name: 'orders.payments-ca', message }],
  });
  return { ...situation, desired: [...situation.desired, ...certificates] };
};
const inTheWay = (namespace: string) => {
  const situation = wellStore(STARTERS);
  const foreign = appliedObjects(certificates)
    .filter((object) => object.namespace === namespace)
    .map((object) => ({ ...object, store: undefined, controller: undefined }));
  return {
    ...but(situation, { objects: [...situation.observed.objects, ...foreign] }),
    desired: [...situation.desired, ...certificates],
  };
};

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
    when: 'no certificate can be made',
    situation: {
      ...withReports(startingGateway(), 'gateway', errorReport(NO_CERTIFICATE)),
      certificateProblem:
        'Secret largepayload-tls exists and was not made by the operator, so it is left as it is; delete it, and the operator makes one',
    },
    expected: failing('CertificateMissing'),
  },
  {
    when: 'gateways have a certificate, and it cannot be renewed',
    situation: {
      ...well,
      certificateProblem: 'Secret largepayload-ca of namespace operators cannot be used',
    },
    expected: { ...WELL, Ready: 'True CertificateNotMade' },
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
    when: 'a namespace that is allowed does not exist yet',
    situation: published(
      'apply configmaps starters/orders.payments-ca: namespaces "starters" not found (HTTP 404)',
    ),
    expected: WELL,
  },
  {
    when: 'a namespace that is allowed is being deleted',
    situation: published(
      'configmaps "orders.payments-ca" is forbidden: unable to create new content in namespace starters because it is being terminated',
    ),
    expected: WELL,
  },
  {
    when: 'a namespace that is allowed has no room for the certificates',
    situation: published(
      'configmaps "orders.payments-ca" is forbidden: exceeded quota: objects, requested: count/configmaps=1, used: count/configmaps=5, limited: count/configmaps=5',
    ),
    expected: { ...WELL, Ready: 'True CertificatesNotPublished' },
  },
  {
    when: 'a ConfigMap of others is in the way in a namespace that is allowed',
    situation: inTheWay('starters'),
    expected: { ...WELL, Ready: 'True CertificatesNotPublished' },
  },
  {
    when: 'a ConfigMap of others is in the way in the namespace of the store',
    situation: inTheWay('payments'),
    expected: { ...WELL, Ready: 'False NameTaken' },
  },
  {
    when: 'gateways that would demand tokens cannot load keys, and those of before serve',
    situation: withReports(edited({ ready: false }), 'gateway', errorReport(noKeysOf(CLUSTER))),
    expected: { ...WELL, Ready: 'False TokenKeysMissing' },
  },
];
