import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifest, renderNotes } from '@largepayload/testing/cluster/rendered-chart';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { describe, expect, test } from 'vitest';
import { helm, kindsOf, OFF, only, operatorPod, render } from './chart.fixture.ts';

const NEWER = ['--api-versions', 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy'];
const LABEL = 'largepayload.dev/inject';
const CERT_MANAGER = {
  certificates: {
    issuerRef: { name: 'internal' },
    caBundle: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
  },
};
const modeOf = (manifests: readonly Manifest[]) =>
  operatorPod(manifests).containers[0].args.find((arg: string) => arg.startsWith('--injection='));
const replicasOf = (manifests: readonly Manifest[]) => only(manifests, 'Deployment').spec.replicas;

describe.skipIf(helm === undefined)('injection by the chart', () => {
  test.each([
    ['Auto where the API server has no policies', {}, [], 'Webhook'],
    ['Auto where it has', {}, NEWER, 'Policy'],
    ['Webhook where it has', { mode: 'Webhook' }, NEWER, 'Webhook'],
    ['Policy', { mode: 'Policy' }, [], 'Policy'],
  ])(
    '%s is given to the operator as one of two modes, of which one has a webhook',
    async (_what, injection, flags, mode) => {
      const manifests = await render({ injection }, flags);
      expect(modeOf(manifests)).toBe(`--injection=${mode}`);
      expect(kindsOf(manifests).includes('MutatingWebhookConfiguration')).toBe(mode === 'Webhook');
    },
  );

  test('there are two replicas and a budget with injection, one without, and as many as a value says', async () => {
    const [on, off, one] = [await render(), await render(OFF), await render({ replicas: 1 })];
    expect([on, off, one].map(replicasOf)).toEqual([2, 1, 1]);
    expect([on, off, one].map((each) => kindsOf(each).includes('PodDisruptionBudget'))).toEqual([
      true,
      false,
      false,
    ]);
    // Values of an older chart, as `helm upgrade --reuse-values` has them.
    expect(modeOf(await render({ injection: null }))).toBeUndefined();
  });

  test('the webhook has an entry for the label of namespaces and one for that of pods, without pods that must not wait for it', async () => {
    const manifests = await render({ injection: { failurePolicy: 'Ignore' } });
    const { webhooks, metadata } = only(manifests, 'MutatingWebhookConfiguration');
    expect(metadata.name).toBe('payloads-large-payload-operator');
    const notFalse = [
      { key: LABEL, operator: 'Exists' },
      { key: LABEL, operator: 'NotIn', values: ['false'] },
    ];
    const places = {
      key: 'kubernetes.io/metadata.name',
      operator: 'NotIn',
      values: ['kube-system', 'operators'],
    };
    const others = {
      key: 'app.kubernetes.io/managed-by',
      operator: 'NotIn',
      values: ['large-payload-operator'],
    };
    const entry = (name: string, namespaces: object[], pods: object[]) => ({
      ...{
        name: `${name}.inject.largepayload.dev`,
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Ignore',
      },
      ...{
        matchPolicy: 'Equivalent',
        reinvocationPolicy: 'IfNeeded',
        sideEffects: 'None',
        timeoutSeconds: 3,
      },
      clientConfig: { service: { name: metadata.name, namespace: 'operators', path: '/inject', port: 443 } },
      rules: [
        {
          apiGroups: [''],
          apiVersions: ['v1'],
          operations: ['CREATE'],
          resources: ['pods'],
          scope: 'Namespaced',
        },
      ],
      namespaceSelector: { matchExpressions: namespaces },
      objectSelector: { matchExpressions: pods },
    });
    expect(webhooks).toEqual([
      entry('namespace', [...notFalse, places], [{ key: LABEL, operator: 'DoesNotExist' }, others]),
      entry('pod', [places], [...notFalse, others]),
    ]);
    const service = only(manifests, 'Service', /operator$/);
    expect(service.spec.ports).toEqual([{ name: 'webhook', port: 443, targetPort: 'webhook' }]);
    expect(metadata.annotations).toBeUndefined();
  });

  test('cert-manager makes the certificate of the webhook and writes caBundle, where a value names an issuer', async () => {
    const manifests = await render(CERT_MANAGER);
    const { metadata, spec } = only(manifests, 'Certificate');
    expect(`${metadata.namespace}/${metadata.name}`).toBe('operators/largepayload-webhook-tls');
    expect(spec).toMatchObject({
      secretName: 'largepayload-webhook-tls',
      dnsNames: [
        'payloads-large-payload-operator.operators.svc',
        'payloads-large-payload-operator.operators.svc.cluster.local',
      ],
      issuerRef: { name: 'internal', kind: 'ClusterIssuer', group: 'cert-manager.io' },
    });
    const { annotations } = only(manifests, 'MutatingWebhookConfiguration').metadata;
    expect(annotations).toEqual({ 'cert-manager.io/inject-ca-from': 'operators/largepayload-webhook-tls' });
  });

  test('the notes say how to label a namespace, and what becomes of its pods while the operator is away', async () => {
    const notes = await renderNotes(helm as string);
    expect(notes).toContain('kubectl label namespace YOUR-NAMESPACE largepayload.dev/inject=orders');
    expect(notes).toContain('injection.mode is Webhook');
    expect(notes).toContain('pods of such namespaces are not made.');
    const ignoring = await renderNotes(helm as string, { injection: { failurePolicy: 'Ignore' } });
    expect(ignoring).toContain('are made without a sidecar.');
    expect(await renderNotes(helm as string, { injection: { mode: 'Policy' } })).toContain(
      'also while the operator is away',
    );
    expect(await renderNotes(helm as string, OFF)).toContain('injection.enabled is false');
  });

  test('helm test asks the webhook by TLS about a pod, and fails without a sidecar in the answer', async () => {
    const { spec } = only(await render(), 'Pod', /-webhook-test$/);
    const args: string[] = spec.containers[0].args;
    const [url, caFile = ''] = args.slice(-2);
    expect(url).toBe('https://payloads-large-payload-operator.operators.svc/inject');
    expect(caFile.startsWith(`${spec.containers[0].volumeMounts[0].mountPath}/`)).toBe(true);
    const authority = testAuthority();
    const { certificate: cert, key } = authority.issue();
    const answers = [
      [503, 'no stores yet'],
      [200, [{ op: 'add', path: '/spec/initContainers', value: [] }]],
      [200, []],
    ] as const;
    let count = 0;
    await using server = createServer({ cert, key }, async (request, response) => {
      const { request: asked } = JSON.parse((await request.toArray()).join(''));
      expect(asked.object.metadata.labels).toHaveProperty([LABEL]);
      const [status, content] = answers[count] ?? [500, ''];
      count += 1;
      const patch = Buffer.from(JSON.stringify(content)).toString('base64');
      const text = status === 200 ? JSON.stringify({ response: { patch } }) : String(content);
      response.writeHead(status).end(text);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const folder = await mkdtemp(join(tmpdir(), 'helm-test-'));
    try {
      await writeFile(join(folder, 'ca.crt'), authority.certificate);
      const here = `https://localhost:${(server.address() as AddressInfo).port}/inject`;
      const run = async () => {
        const program = spawn(process.execPath, [...args.slice(0, -2), here, join(folder, 'ca.crt')], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const [output, [code]] = await Promise.all([program.stdout.toArray(), once(program, 'exit')]);
        return { code, output: output.join('') };
      };
      const good = await run();
      expect(good.output).toContain('503 no stores yet');
      expect(good.output).toContain('would add /spec/initContainers');
      expect(good.code).toBe(0);
      expect(await run()).toMatchObject({ code: 1, output: expect.stringContaining('would add nothing') });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
