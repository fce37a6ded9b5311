import { createServer, type Server } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { json } from 'node:stream/consumers';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import type { StoreBed } from '../fixtures/store.fixture.ts';
import type { Pod } from './worker-pod.fixture.ts';

interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
  readonly value?: unknown;
}

interface Review {
  readonly request: { readonly uid: string; readonly object: Pod };
}

/** A mutating webhook of another product, for the pods of one namespace. It is called after ours, whose name comes before. */
export class SecondWebhook implements AsyncDisposable {
  /** pods that it was asked about */
  calls = 0;
  readonly #bed: StoreBed;
  readonly #server: Server;

  private constructor(bed: StoreBed, server: Server) {
    this.#bed = bed;
    this.#server = server;
  }

  static async start(bed: StoreBed, change: (pod: Pod) => readonly PatchOperation[]): Promise<SecondWebhook> {
    const address = bed.cluster.hostAddress ?? '';
    const authority = testAuthority();
    const { certificate: cert, key } = authority.issue([isIP(address) ? address : 'localhost']);
    const server = createServer({ cert, key }, async (incoming, outgoing) => {
      const { request } = (await json(incoming)) as Review;
      webhook.calls += 1;
      const patch = Buffer.from(JSON.stringify(change(request.object))).toString('base64');
      const response = { uid: request.uid, allowed: true, patchType: 'JSONPatch', patch };
      outgoing.setHeader('content-type', 'application/json');
      outgoing.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
    const webhook = new SecondWebhook(bed, server);
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const { port } = server.address() as AddressInfo;
    await webhook.#register(`https://${address}:${port}/`, authority.certificate);
    return webhook;
  }

  get #name(): string {
    return `zz-${this.#bed.namespace}`;
  }

  async #register(url: string, authority: string): Promise<void> {
    await this.#bed.cluster.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: this.#name },
      webhooks: [
        {
          name: 'second.example.com',
          clientConfig: { url, caBundle: Buffer.from(authority).toString('base64') },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': this.#bed.namespace } },
          ...{ admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail' },
          reinvocationPolicy: 'IfNeeded',
        },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bed.cluster.kubectl(
      'delete',
      'mutatingwebhookconfiguration',
      this.#name,
      '--ignore-not-found',
    );
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
