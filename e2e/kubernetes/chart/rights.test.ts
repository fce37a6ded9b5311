import * as resources from '@largepayload/operator/kubernetes/resources';
import { type Manifest, renderChart } from '@largepayload/testing/cluster/rendered-chart';
import { describe, expect, test } from 'vitest';
import { helm, OFF } from './chart.fixture.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Any certificates do, as nothing reads them here. */
const CERT_MANAGER = {
  certificates: {
    issuerRef: { name: 'internal' },
    caBundle: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
  },
};

const OWNED = 'create get list patch watch';
const REMOVED = 'create delete get list patch watch';
const OPERATOR_RIGHTS = {
  'largepayload.dev/largepayloadstores': 'list watch',
  'largepayload.dev/largepayloadstores/status': 'patch',
  '/configmaps': REMOVED,
  '/serviceaccounts': REMOVED,
  '/services': OWNED,
  'apps/deployments': REMOVED,
  'policy/poddisruptionbudgets': OWNED,
  'networking.k8s.io/networkpolicies': REMOVED,
  '/pods': 'list watch',
  '/events': 'list',
  'events.k8s.io/events': 'create',
};
const WITHOUT_INJECTION = { '/namespaces kube-system': 'get' };
const INJECTION_RIGHTS = { '/namespaces': 'get list watch', '/pods': 'get list watch' };
const WEBHOOK_RIGHTS = {
  'admissionregistration.k8s.io/mutatingwebhookconfigurations payloads-large-payload-operator':
    'get list patch watch',
};
const MAP = 'admissionregistration.k8s.io/mutatingadmissionpolicies';
const MAP_BINDING = 'admissionregistration.k8s.io/mutatingadmissionpolicybindings';
const POLICY_VERBS = 'create delete list patch watch';
const POLICY_RIGHTS = { [MAP]: POLICY_VERBS, [MAP_BINDING]: POLICY_VERBS };
/** to remove those of an earlier mode */
const NO_POLICY_RIGHTS = { [MAP]: 'delete list', [MAP_BINDING]: 'delete list' };
const WEBHOOK_SECRET = '/secrets largepayload-webhook-tls';
const LEASE_RIGHTS = {
  'coordination.k8s.io/leases': 'create',
  'coordination.k8s.io/leases payloads-large-payload-operator': 'get update',
};
/** A right to create has no name. */
const SECRET_RIGHTS = { '/secrets': 'create', '/secrets largepayload-tls': 'delete get patch' };
const AUTHORITY_RIGHTS = { '/secrets largepayload-ca': 'get patch' };
const CERT_MANAGER_RIGHTS = {
  'cert-manager.io/certificates': 'create',
  'cert-manager.io/certificates largepayload-tls': 'delete get patch',
};

/** Verbs by `GROUP/RESOURCE`, and by `GROUP/RESOURCE NAME` for a right on a single object. */
function rights({ rules }: Manifest): Record<string, string> {
  const entries = (rules as Rule[]).flatMap(({ apiGroups, resources: of, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      of.map((resource) => [
        [`${group}/${resource}`, ...(resourceNames ?? [])].join(' '),
        verbs.toSorted().join(' '),
      ]),
    ),
  );
  if (new Set(entries.map(([what]) => what)).size < entries.length) throw new Error('a rule is there twice');
  return Object.fromEntries(entries);
}

describe.skipIf(helm === undefined)('the rights that the chart gives', async () => {
  const manifests = helm === undefined ? [] : await renderChart(helm);
  const named = (kind: string, name: RegExp, of = manifests) =>
    of.find((each) => each.kind === kind && name.test(each.metadata.name)) as Manifest;

  test('the operator has these rights, and no others', () => {
    const all = {
      ...OPERATOR_RIGHTS,
      ...SECRET_RIGHTS,
      ...INJECTION_RIGHTS,
      ...WEBHOOK_RIGHTS,
      ...NO_POLICY_RIGHTS,
    };
    expect(rights(named('ClusterRole', /operator$/))).toEqual(all);
    const own = { ...LEASE_RIGHTS, ...AUTHORITY_RIGHTS, [WEBHOOK_SECRET]: 'get patch' };
    expect(rights(named('Role', /operator$/))).toEqual(own);
  });

  test('without injection, the operator knows no namespaces and no webhook', async () => {
    const others = await renderChart(helm as string, OFF);
    const all = { ...OPERATOR_RIGHTS, ...SECRET_RIGHTS, ...WITHOUT_INJECTION, ...NO_POLICY_RIGHTS };
    expect(rights(named('ClusterRole', /operator$/, others))).toEqual(all);
    expect(rights(named('Role', /operator$/, others))).toEqual({ ...LEASE_RIGHTS, ...AUTHORITY_RIGHTS });
  });

  test('where the API server injects, the operator writes its policies, and has no webhook', async () => {
    const others = await renderChart(helm as string, { injection: { mode: 'Policy' } });
    const all = { ...OPERATOR_RIGHTS, ...SECRET_RIGHTS, ...INJECTION_RIGHTS, ...POLICY_RIGHTS };
    expect(rights(named('ClusterRole', /operator$/, others))).toEqual(all);
    expect(rights(named('Role', /operator$/, others))).toEqual({ ...LEASE_RIGHTS, ...AUTHORITY_RIGHTS });
  });

  test('the operator may evict pods only where a value says so', async () => {
    const others = await renderChart(helm as string, { injection: { evictMissed: 'All' } });
    const all = {
      ...OPERATOR_RIGHTS,
      ...SECRET_RIGHTS,
      ...INJECTION_RIGHTS,
      ...WEBHOOK_RIGHTS,
      ...NO_POLICY_RIGHTS,
    };
    const { '/pods/eviction': eviction, ...rest } = rights(named('ClusterRole', /operator$/, others));
    expect(eviction).toBe('create');
    expect(rest).toEqual(all);
  });

  test('where cert-manager makes the certificates, the operator can read the Secret of the webhook, and no other', async () => {
    const others = await renderChart(helm as string, CERT_MANAGER);
    const all = { ...OPERATOR_RIGHTS, ...CERT_MANAGER_RIGHTS, ...INJECTION_RIGHTS, ...NO_POLICY_RIGHTS };
    expect(rights(named('ClusterRole', /operator$/, others))).toEqual(all);
    expect(rights(named('Role', /operator$/, others))).toEqual({ ...LEASE_RIGHTS, [WEBHOOK_SECRET]: 'get' });
  });

  test('the roles are bound to the operator alone', () => {
    const [account] = manifests.filter(({ kind }) => kind === 'ServiceAccount');
    const bindings = manifests.filter(({ kind }) => /RoleBinding$/.test(kind));
    expect(bindings).toHaveLength(2);
    for (const { kind, roleRef, subjects } of bindings) {
      expect(`${roleRef.kind}Binding`).toBe(kind);
      expect(named(roleRef.kind, /operator$/).metadata.name).toBe(roleRef.name);
      expect(subjects).toEqual([
        { kind: 'ServiceAccount', name: account?.metadata.name, namespace: account?.metadata.namespace },
      ]);
    }
  });

  test('the operator may use every kind that it knows', () => {
    // A right on a single object has its name behind the resource.
    const all = [
      OPERATOR_RIGHTS,
      INJECTION_RIGHTS,
      WEBHOOK_RIGHTS,
      POLICY_RIGHTS,
      LEASE_RIGHTS,
      SECRET_RIGHTS,
      CERT_MANAGER_RIGHTS,
    ]
      .flatMap((each) => Object.keys(each))
      .map((right) => right.split(' ')[0]);
    for (const kind of Object.values(resources)) {
      if (typeof kind === 'function') continue;
      expect(all).toContain(`${kind.group}/${kind.plural}`);
    }
  });

  test('people may read or edit stores, and nothing else', () => {
    const view = named('ClusterRole', /-view$/);
    const edit = named('ClusterRole', /-edit$/);
    expect(view.metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-view': 'true' });
    expect(edit.metadata.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' });
    expect(rights(view)).toEqual({ 'largepayload.dev/largepayloadstores': 'get list watch' });
    expect(rights(edit)).toEqual({
      'largepayload.dev/largepayloadstores': 'create delete patch update',
      'largepayload.dev/largepayloadstores/scale': 'get patch update',
    });
  });
});
