import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningProxy } from '@largepayload/testing/fault-proxy/running-proxy';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { RunningService } from '@largepayload/testing/service/service-process';
import type { StoredObjects } from './bucket-check.fixture.ts';

const PROGRAM = join(import.meta.dirname, '../../sidecar/dist/payload-store.mjs');
const ANY_PORT = '127.0.0.1:0';

export interface StoreOptions {
  /** name of the store, and its prefix in the bucket */
  readonly name: string;
  /** such as `1h`, or `Forever` */
  readonly ttl: string;
  readonly reaperInterval?: string;
}

/** The program in a process of its own, and its objects in the bucket. */
export interface RunningStore {
  readonly name: string;
  readonly service: RunningService;
  readonly objects: StoredObjects;
}

/** An S3 server, a fault proxy before it, and services that know only the proxy. */
export class StoreBed {
  readonly server: S3Server;
  readonly proxy: RunningProxy;
  readonly #bucket: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'payload-store-faults-'));
  readonly #services: RunningService[] = [];

  private constructor(server: S3Server, proxy: RunningProxy, bucket: string) {
    this.server = server;
    this.proxy = proxy;
    this.#bucket = bucket;
  }

  static async open(startServer: () => Promise<S3Server>, seed: number): Promise<StoreBed> {
    const server = await startServer();
    try {
      const { bucket } = await server.newBucket();
      return new StoreBed(server, await RunningProxy.start(server.endpoint, seed), bucket);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async startStore(options: StoreOptions): Promise<RunningStore> {
    const { name } = options;
    const prefix = `${name}/`;
    const config = join(this.#folder, `${name}.yaml`);
    writeFileSync(config, this.#manifest(options, prefix));
    const service = await RunningService.start(
      PROGRAM,
      [
        ...['--config', config, '--credentials-dir', this.server.credentialsFolder],
        ...['--listen', ANY_PORT, '--metrics-listen', ANY_PORT, '--admin-listen', ANY_PORT],
      ],
      join(outputFolder, 'logs', `faults.${this.server.name}.${name}.log`),
    );
    this.#services.push(service);
    const { client } = this.server;
    return { name, service, objects: { client, bucket: this.#bucket, prefix } };
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await this.proxy.stop();
    await this.server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #manifest({ name, ttl, reaperInterval = '1h' }: StoreOptions, prefix: string): string {
    const s3 = { bucket: this.#bucket, prefix, endpoint: this.proxy.endpoint, forcePathStyle: true };
    return manifestOn({ s3 }, { name, ttl, reaperInterval });
  }
}
