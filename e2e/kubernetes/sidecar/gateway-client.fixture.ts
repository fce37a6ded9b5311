import { randomBytes } from 'node:crypto';
import { request as requestPlainly } from 'node:http';
import { request as requestByTls } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { selectorText } from '@largepayload/operator/stores/labels';
import { MetricsReading } from '@largepayload/testing/servers/metrics-reading';
import { getPath, type TestPayload, testPayload } from '@largepayload/testing/service/payload';
import type { StoreBed } from '../fixtures/store.fixture.ts';

export interface Answer {
  readonly status: number | undefined;
  /** of the error */
  readonly code?: string;
  readonly message?: string;
  /** of a payload that was stored */
  readonly key?: string;
}

/** ms */
const TIME_LIMIT = 20_000;

/** Calls the gateways of a store by their address, as a program does that finds the Service by DNS: certificates are verified. */
export class GatewayClient {
  readonly #bed: StoreBed;
  readonly #store: string;
  readonly #host: string;
  readonly #payload: TestPayload;
  /** the name in the URL, for which the certificate has to be */
  #name: string;

  private constructor(bed: StoreBed, store: string, host: string, payload = testPayload(randomBytes(2_000))) {
    this.#bed = bed;
    this.#store = store;
    this.#host = host;
    this.#payload = payload;
    this.#name = `${store}-gateway.${bed.namespace}.svc`;
  }

  static async of(bed: StoreBed, store: string): Promise<GatewayClient> {
    const host = await bed.kubectl(
      'get',
      'service',
      `${store}-gateway`,
      '--output=jsonpath={.spec.clusterIP}',
    );
    return new GatewayClient(bed, store, host);
  }

  /** The same client with another name of the gateway in its URL. */
  calledBy(name: string): GatewayClient {
    const client = new GatewayClient(this.#bed, this.#store, this.#host, this.#payload);
    client.#name = name;
    return client;
  }

  /** A token of a service account of a namespace, by default for this store. */
  async token({
    namespace = this.#bed.namespace,
    serviceAccount = 'default',
    audience = this.audience,
  } = {}): Promise<string> {
    const token = await this.#bed.cluster.kubectl(
      ...['--namespace', namespace, 'create', 'token', serviceAccount, '--audience', audience],
    );
    return token.trim();
  }

  get audience(): string {
    return `largepayload.dev/${this.#bed.namespace}/${this.#store}`;
  }

  /** PEM, as the operator publishes it. */
  async authorities(): Promise<string> {
    return await this.#bed.kubectl(
      'get',
      'configmap',
      `${this.#store}-ca`,
      '--output=jsonpath={.data.ca\\.crt}',
    );
  }

  /** The metrics of a gateway of the store. */
  async metrics(): Promise<MetricsReading> {
    const pods = ['get', 'pods', `--selector=${selectorText(this.#store, 'gateway')}`];
    const address = await this.#bed.kubectl(...pods, '--output=jsonpath={.items[0].status.podIP}');
    return await MetricsReading.of(`${address}:8578`);
  }

  /** Stores a small payload. @param namespace of Temporal */
  async put(token?: string, namespace?: string): Promise<Answer> {
    const { putHeaders, bytes } = this.#payload;
    const { putPath } = testPayload(bytes, namespace);
    return await this.#call({ method: 'PUT', path: putPath, headers: putHeaders, token, body: bytes });
  }

  /** Fetches the payload that `put` has stored. */
  async get(key: string, token?: string): Promise<Answer> {
    return await this.#call({ method: 'GET', path: getPath(key), headers: this.#payload.getHeaders, token });
  }

  /** Stores a small payload by plain HTTP. */
  async putPlainly(token?: string): Promise<Answer> {
    const { putPath, putHeaders, bytes } = this.#payload;
    return await this.#call({
      method: 'PUT',
      path: putPath,
      headers: putHeaders,
      token,
      body: bytes,
      plainly: true,
    });
  }

  async #call({ token, body, plainly = false, ...call }: Call): Promise<Answer> {
    const servername = this.#name;
    const authorization = token !== undefined && { Authorization: `Bearer ${token}` };
    const common = {
      ...{ host: this.#host, port: 8577, method: call.method, path: call.path, agent: false },
      headers: { ...call.headers, Host: `${servername}:8577`, ...authorization },
      signal: AbortSignal.timeout(TIME_LIMIT),
    };
    const outgoing = plainly
      ? requestPlainly(common)
      : requestByTls({ ...common, servername, ca: await this.authorities(), minVersion: 'TLSv1.3' });
    return await new Promise((resolve, reject) => {
      outgoing.once('error', reject).once('response', (response) => {
        buffer(response).then((bytes) => resolve(answerOf(response.statusCode, bytes)), reject);
      });
      outgoing.end(body);
    });
  }
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly token: string | undefined;
  readonly body?: Buffer;
  readonly plainly?: boolean;
}

function answerOf(status: number | undefined, bytes: Buffer): Answer {
  if (status === 200) return { status };
  const answer = JSON.parse(bytes.toString()) as { Key?: string; error?: { code: string; message: string } };
  return { status, ...(answer.Key !== undefined && { key: answer.Key }), ...answer.error };
}
