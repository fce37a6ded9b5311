import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeAuthority } from '@largepayload/operator/authority/x509';
import { parseOptions } from '@largepayload/operator/options';
import type { Values } from '@largepayload/testing/cluster/rendered-chart';
import { describe, expect, test } from 'vitest';
import rootPackage from '../../../package.json' with { type: 'json' };
import { DIGEST, EVERYTHING, helm, OFF, only, operatorPod, render, testPods } from './chart.fixture.ts';

describe.skipIf(helm === undefined)('the chart', () => {
  test('gives the operator arguments that it understands', async () => {
    const read = async (values?: Values) => {
      const [container] = operatorPod(await render(values)).containers;
      expect(container.args[0]).toBe('/app/operator.mjs');
      return { ...parseOptions(container.args.slice(1)), runs: container.image };
    };
    const image = `largepayload/payload-store:${rootPackage.version}`;
    expect(await read()).toEqual({
      ...{ image, runs: image, imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
      ...{ namespace: 'operators', leaseName: 'payloads-large-payload-operator', logLevel: 'info' },
      metricsListen: { host: undefined, port: 8080 },
      scrapeNamespaces: [],
      injection: {
        ...{ mode: 'Webhook', failurePolicy: 'Fail', runAsUser: 65_532, evictMissed: 'Never' },
        webhook: { listen: { host: undefined, port: 9443 }, name: 'payloads-large-payload-operator' },
      },
    });
    expect((await read(OFF)).injection).toBeUndefined();
    const injection = { mode: 'Policy', failurePolicy: 'Ignore', runAsUser: null, evictMissed: 'All' };
    expect((await read({ injection })).injection).toMatchObject({ ...injection, runAsUser: undefined });
    const runAsUser = 1_000_680_000;
    expect((await read({ injection: { runAsUser } })).injection).toMatchObject({ runAsUser });
    const pinned = `registry.example:5000/payloads@${DIGEST}`;
    expect(await read(EVERYTHING)).toMatchObject({
      ...{ image: pinned, runs: pinned, imagePullPolicy: 'Always', imagePullSecrets: ['one', 'two'] },
      logLevel: 'debug',
      scrapeNamespaces: ['monitoring', 'observers'],
    });
    expect(await read({ image: { tag: 'v9' } })).toMatchObject({ runs: 'largepayload/payload-store:v9' });
  });

  test('has cert-manager make the certificates where a value names an issuer', async () => {
    const read = async (values?: Values) => {
      const [container] = operatorPod(await render(values)).containers;
      return parseOptions(container.args.slice(1)).certManager;
    };
    const lifetime = { notBefore: 0, notAfter: 1_000 };
    const caBundle = ['one', 'two'].map((name) => makeAuthority(name, lifetime).certificate).join('');
    expect(await read()).toBeUndefined();
    expect(await read({ certificates: { issuerRef: { name: 'internal' }, caBundle } })).toEqual({
      issuer: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'internal' },
      bundle: caBundle,
    });
  });

  test('makes pods that pass the Pod Security Standard `restricted`, and have requests and limits', async () => {
    const manifests = await render();
    for (const pod of [operatorPod(manifests), ...testPods(manifests)]) {
      expect(pod.securityContext).toEqual({
        ...{ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532 },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
          capabilities: { drop: ['ALL'] },
        });
        expect(Object.keys(container.resources.requests)).toEqual(['cpu', 'memory']);
        expect(Object.keys(container.resources.limits)).toEqual(['cpu', 'memory']);
      }
    }
    const openShift = { podSecurityContext: { runAsUser: null, runAsGroup: null } };
    const { securityContext } = operatorPod(await render(openShift));
    expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  });

  test('gives a token of the API to the operator alone', async () => {
    const manifests = await render();
    expect(only(manifests, 'ServiceAccount').automountServiceAccountToken).toBe(false);
    expect(operatorPod(manifests).automountServiceAccountToken).toBe(true);
    for (const pod of testPods(manifests)) expect(pod.automountServiceAccountToken).toBe(false);
  });

  test('points probes and metrics at the port of the operator', async () => {
    const [container] = operatorPod(await render()).containers;
    expect(container.ports).toEqual([
      { name: 'metrics', containerPort: 8080 },
      { name: 'webhook', containerPort: 9443 },
    ]);
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'metrics' });
  });

  test('places the pod as its values ask', async () => {
    expect(operatorPod(await render(EVERYTHING))).toMatchObject({
      ...{ priorityClassName: 'high', tolerations: EVERYTHING.tolerations, affinity: EVERYTHING.affinity },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      serviceAccountName: 'somebody',
    });
  });

  test('lets in by its NetworkPolicy whom its values name, and the pod of helm test', async () => {
    const rules = async (values: Values) => only(await render(values), 'NetworkPolicy').spec.ingress;
    const metrics = { ports: [{ port: 'metrics' }] };
    const webhook = { ports: [{ port: 'webhook' }] };
    expect(await rules({ networkPolicy: { enabled: true } })).toEqual([metrics, webhook]);
    expect(await rules({ ...OFF, networkPolicy: { enabled: true } })).toEqual([metrics]);
    const [{ from }, open] = await rules(EVERYTHING);
    expect(open).toEqual(webhook);
    const testPod = only(await render(EVERYTHING), 'Pod', /operator-test$/).metadata.labels;
    expect(from).toEqual([{ namespaceSelector: {} }, { podSelector: { matchLabels: testPod } }]);
  });

  test('has a helm test that waits until the operator says that it is ready', async () => {
    const { spec, metadata } = only(await render(), 'Pod', /operator-test$/);
    expect(metadata.annotations).toMatchObject({ 'helm.sh/hook': 'test' });
    const args: string[] = spec.containers[0].args;
    const service = only(await render(), 'Service', /-metrics$/);
    expect(args.at(-1)).toBe(`http://${service.metadata.name}.operators:8080/readyz`);
    const answers = [503, 200];
    const asked: (string | undefined)[] = [];
    await using server = createServer(({ url }, response) => {
      asked.push(url);
      response.writeHead(answers[asked.length - 1] ?? 500).end('waiting for the stores\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
    const program = spawn(process.execPath, [...args.slice(0, -1), url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([program.stdout.toArray(), once(program, 'exit')]);
    expect(code).toBe(0);
    expect(output.join('')).toContain('503 waiting for the stores');
    expect(asked).toEqual(['/readyz', '/readyz']);
  });
});
