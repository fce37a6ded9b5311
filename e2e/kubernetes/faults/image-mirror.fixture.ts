import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { writeCertificates } from '@largepayload/testing/cluster/certificates';
import type { StoreBed } from '../fixtures/store.fixture.ts';

/**
 * A mutating webhook, like those that make pods pull from a mirror. It sets the image of every new pod in the bed's
 * namespace.
 */
export class ImageMirror implements AsyncDisposable {
  readonly #bed: StoreBed;
  readonly #folder: string;
  readonly #server: Server;
  /** The image that it sets; `broken`: it answers with an error; `undefined`: it changes nothing. */
  image: string | undefined = 'broken';

  private constructor(bed: StoreBed, folder: string) {
    this.#bed = bed;
    this.#folder = folder;
    const [key, cert] = ['mirror.key', 'mirror.crt'].map((file) => readFileSync(join(folder, file)));
    this.#server = createServer({ key, cert }, async (request, response) => {
      const { uid } = (JSON.parse(await text(request)) as { request: { uid: string } }).request;
      if (this.image === 'broken') return void response.writeHead(500).end('the mirror is out of order');
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(
        JSON.stringify({
          ...{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
          response: { uid, allowed: true, ...patchOf(this.image) },
        }),
      );
    });
  }

  static async start(bed: StoreBed): Promise<ImageMirror> {
    const host = bed.cluster.hostAddress ?? '';
    const folder = await mkdtemp(join(tmpdir(), 'image-mirror-'));
    await writeCertificates(folder, [{ name: 'mirror', subject: '/CN=mirror', addresses: [`IP:${host}`] }]);
    const mirror = new ImageMirror(bed, folder);
    await new Promise<void>((resolve) => mirror.#server.listen(0, host, resolve));
    await mirror.#register(host);
    return mirror;
  }

  async #register(host: string): Promise<void> {
    const { namespace, cluster } = this.#bed;
    const { port } = this.#server.address() as AddressInfo;
    const caBundle = readFileSync(join(this.#folder, 'ca.crt')).toString('base64');
    await cluster.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: namespace },
      webhooks: [
        {
          ...{ name: 'image-mirror.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None' },
          clientConfig: { url: `https://${host}:${port}/`, caBundle },
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
        },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { cluster, namespace } = this.#bed;
    await cluster.kubectl('delete', 'mutatingwebhookconfiguration', namespace);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#folder, { recursive: true });
  }
}

function patchOf(image: string | undefined): object {
  if (image === undefined) return {};
  const patch = [{ op: 'replace', path: '/spec/containers/0/image', value: image }];
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
}
