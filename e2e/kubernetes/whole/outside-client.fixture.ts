import dns from 'node:dns';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LargePayloadCodec } from '@largepayload/codec';
import { Client, Connection } from '@temporalio/client';
import type { StoreBed } from '../fixtures/store.fixture.ts';
import { RETRIED_FOR } from '../fixtures/traffic.fixture.ts';
import { publishedBy } from '../sidecar/authority.fixture.ts';
import { GatewayClient } from '../sidecar/gateway-client.fixture.ts';

/** Of the gateways, for clients outside of the cluster. */
export const OUTSIDE_NAME = 'documents.payloads.example.com';

/** A client of Temporal outside of the cluster, which stores payloads by calls of the gateways: docs/codec.md. */
export class OutsideClient implements AsyncDisposable {
  readonly client: Client;
  readonly #bed: StoreBed;
  readonly #folder: string;
  readonly #connection: Connection;

  private constructor(bed: StoreBed, folder: string, connection: Connection) {
    this.#bed = bed;
    this.#folder = folder;
    this.#connection = connection;
    const codec = new LargePayloadCodec({
      url: `https://${OUTSIDE_NAME}:8577`,
      tokenFile: join(folder, 'token'),
      caFile: join(folder, 'ca.crt'),
      // The default for a client's call is a few seconds: a program that starts workflows decides itself when it gives up.
      retryTimeoutMs: RETRIED_FOR,
    });
    this.client = new Client({ connection, dataConverter: { payloadCodecs: [codec] } });
  }

  static async make(bed: StoreBed, temporalAddress: string): Promise<OutsideClient> {
    const gateways = await bed.kubectl(
      ...['get', 'service', 'documents-gateway', '--output=jsonpath={.spec.clusterIP}'],
    );
    resolve(OUTSIDE_NAME, gateways);
    const folder = mkdtempSync(join(tmpdir(), 'outside-client-'));
    writeFileSync(join(folder, 'token'), await (await GatewayClient.of(bed, 'documents')).token());
    const connection = await Connection.connect({ address: temporalAddress });
    const outside = new OutsideClient(bed, folder, connection);
    await outside.takeAuthorities();
    return outside;
  }

  /** Gives it the authorities that the store publishes, as docs/certificates.md asks of people during a rotation. */
  async takeAuthorities(): Promise<void> {
    const authorities = await publishedBy(this.#bed, 'documents');
    writeFileSync(join(this.#folder, 'ca.crt'), authorities.join('\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Has this process find the name at that address, for which a company's DNS would be configured. */
function resolve(name: string, address: string): void {
  const lookup = dns.lookup;
  const answer = (hostname: string, ...rest: unknown[]) =>
    (lookup as (...args: unknown[]) => void)(hostname === name ? address : hostname, ...rest);
  dns.lookup = Object.assign(answer, lookup) as typeof lookup;
}
