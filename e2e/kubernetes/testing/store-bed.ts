import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { ACCESS_KEY, clientOf, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { eventually } from '@largepayload/testing/waiting/eventual-value';
import { inject } from 'vitest';
import type { Cluster } from '../../cluster/provider.ts';
import { type Condition, untilCondition, type Wanted } from './condition-watch.ts';
import { suiteCluster } from './suite.ts';

type Spec = Record<string, unknown>;
type Manifest = Spec & { readonly metadata: object };

/** ms */
const LIMIT = 120_000;
const SERVED_LIMIT = 10_000;
const ATTEMPT_LIMIT = 2_000;

/** A Secret of the bed's namespace with the S3 server's credentials. */
export const CREDENTIALS = 'storage-credentials';

/** A namespace and a bucket of a test's own. The namespace goes with the bed. */
export class StoreBed implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly bucket: string;
  readonly s3: S3Client;

  private constructor(cluster: Cluster, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
    this.bucket = namespace;
    this.s3 = clientOf(inject('kubernetesSuite').endpoint);
  }

  /** @param what begins the namespace's name: letters, digits and dashes */
  static async make(what: string, labels: Record<string, string> = {}): Promise<StoreBed> {
    const bed = new StoreBed(await suiteCluster(), `${what}-${randomBytes(3).toString('hex')}`);
    await bed.s3.send(new CreateBucketCommand({ Bucket: bed.bucket }));
    await bed.cluster.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: bed.namespace, labels },
    });
    // Tests call from outside of any namespace, which a cluster that enforces the stores' policies would not let in.
    await bed.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'tests' },
      spec: { podSelector: {}, ingress: [{}] },
    });
    await bed.applySecret(CREDENTIALS, ACCESS_KEY, SECRET_KEY);
    return bed;
  }

  async applySecret(name: string, accessKeyId: string, secretAccessKey: string): Promise<void> {
    const stringData = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    await this.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData });
  }

  /** Applies objects in the bed's namespace. */
  async apply(...objects: Manifest[]): Promise<void> {
    const { namespace } = this;
    await this.cluster.apply(
      ...objects.map((object) => ({ ...object, metadata: { namespace, ...object.metadata } })),
    );
  }

  /** kubectl in the bed's namespace. */
  async kubectl(...args: string[]): Promise<string> {
    return await this.cluster.kubectl('--namespace', this.namespace, ...args);
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl(...args, '--output', 'json')) as T;
  }

  /** How a manifest names the bed's bucket. */
  s3Storage(more: Spec = {}): Spec {
    const { endpoint } = inject('kubernetesSuite');
    return { s3: { bucket: this.bucket, region: 'us-east-1', endpoint, forcePathStyle: true, ...more } };
  }

  /** Applies a store on the bed's bucket, with the server's credentials and without a TTL, but for what `spec` says. */
  async applyStore(name: string, spec: Spec = {}): Promise<void> {
    const credentialsSecretRef = { name: CREDENTIALS };
    const retention = (spec.retention ?? { ttl: 'Forever' }) as Spec;
    await this.apply({
      apiVersion: 'largepayload.dev/v1alpha1',
      kind: 'LargePayloadStore',
      metadata: { name },
      spec: {
        storage: this.s3Storage(),
        gateway: { credentialsSecretRef },
        ...(retention.ttl !== 'Forever' && { reaper: { credentialsSecretRef } }),
        ...spec,
        retention,
      },
    });
  }

  async condition(store: string, type: string): Promise<Condition | undefined> {
    const { status } = await this.json<{ status?: { conditions?: Condition[] } }>('get', 'lps', store);
    return status?.conditions?.find((condition) => condition.type === type);
  }

  /** Waits until a condition is as wanted. @throws Error that tells how it is instead */
  async until(store: string, type: string, wanted: Wanted, limitMs = LIMIT): Promise<Condition> {
    const { cluster, namespace } = this;
    return await untilCondition({ cluster, namespace, name: store }, type, wanted, limitMs);
  }

  async untilReady(store: string, limitMs = LIMIT): Promise<void> {
    await this.until(store, 'Ready', { status: 'True' }, limitMs);
  }

  /** Where the gateway of a store answers: reached from where the tests run. */
  async url(store: string): Promise<string> {
    const address = await this.kubectl('get', 'service', `${store}-gateway`, '-o=jsonpath={.spec.clusterIP}');
    return `http://${address}:8577`;
  }

  /**
   * As `url`, once it answers: nodes learn of a Service's pods a moment after the store is Ready. Where a node has a way out,
   * a connection begun before that is lost there, and waits for its answer until it is given up.
   */
  async servedUrl(store: string): Promise<string> {
    const url = await this.url(store);
    return await eventually(async () => {
      const options = { method: 'HEAD', signal: AbortSignal.timeout(ATTEMPT_LIMIT) };
      const answer = await fetch(`${url}/v2/health/head`, options).catch(() => undefined);
      return answer?.ok ? url : undefined;
    }, SERVED_LIMIT);
  }

  /** The Events on a store, as `REASON: note`, oldest first. */
  async events(store: string): Promise<string[]> {
    const about = `involvedObject.name=${store},involvedObject.kind=LargePayloadStore`;
    const { items } = await this.json<{ items: { reason: string; message: string }[] }>(
      ...['get', 'events', '--field-selector', about, '--sort-by=.metadata.creationTimestamp'],
    );
    return items.map(({ reason, message }) => `${reason}: ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.s3.destroy();
    await this.cluster.kubectl('delete', 'namespace', this.namespace, '--wait=false', '--ignore-not-found');
  }
}
