import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseLargePayloadStore } from '@largepayload/crds';
import type { DataLimits } from '@largepayload/sidecar/data-api/limits';
import { FilesystemDriver } from '@largepayload/sidecar/drivers/filesystem/filesystem-driver';
import { objectNameOfFile } from '@largepayload/sidecar/drivers/filesystem/object-paths';
import type { ClusterResource } from '@largepayload/sidecar/roles/role';
import { startStandalone } from '@largepayload/sidecar/roles/standalone';
import type { LeaseTimes } from '@largepayload/sidecar/storage-records/lease/lease-decision';
import { type Logger, pino } from 'pino';
import { MetricsReading } from '../servers/metrics-reading.ts';
import { call } from './http-call.ts';
import { type ManifestOptions, manifestOn } from './manifest.ts';

export interface ServiceOptions extends ManifestOptions {
  readonly limits?: Partial<DataLimits>;
  /** an existing folder, which the caller removes; by default a new one */
  readonly folder?: string;
  readonly log?: Logger;
  /** has `tls.crt` and `tls.key` */
  readonly tlsFolder?: string;
  /** `spec.storage.shared` */
  readonly shared?: boolean;
  readonly resource?: ClusterResource;
  readonly leaseTimes?: LeaseTimes;
  /** bytes */
  readonly cacheSize?: number;
}

/** The service in this process, with real sockets and a folder, until the end of an `await using` scope. */
export interface TestService extends AsyncDisposable {
  readonly data: string;
  readonly metrics: string;
  readonly admin: string;
  readonly folder: string;
  stop(): Promise<void>;
}

const ANY_PORT = { host: '127.0.0.1', port: 0 };

export async function startService(options: ServiceOptions = {}): Promise<TestService> {
  const folder = options.folder ?? (await temporaryFolder());
  const listen = { data: ANY_PORT, metrics: ANY_PORT, admin: ANY_PORT };
  const service = await startStandalone(
    await FilesystemDriver.start(folder),
    {
      manifest: parseLargePayloadStore(manifestText(options), 'test'),
      version: '0.0.0',
      listen,
      cacheSize: options.cacheSize,
      tlsFolder: options.tlsFolder,
      ...(options.limits !== undefined && { limits: options.limits }),
      ...(options.resource !== undefined && { resource: options.resource }),
      ...(options.leaseTimes !== undefined && { leaseTimes: options.leaseTimes }),
    },
    options.log ?? pino({ level: 'silent' }),
  );
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= service.stop();
    return stopped;
  };
  return {
    ...service.addresses,
    folder,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

export function manifestText({ shared, ...options }: ServiceOptions = {}): string {
  return manifestOn({ filesystem: { claimName: 'unused' }, shared }, options);
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'payload-store-test-'));
}

const NO_PAYLOADS = ['store.json', 'lease.json', 'clock.json', 'write-check'];

/** Paths of all files in the folder, temporary ones included, without the records beside payloads. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !NO_PAYLOADS.includes(entry.name))
    .map((entry) => join(entry.parentPath, objectNameOfFile(entry.name)).slice(folder.length))
    .sort();
}

/** The value of one series of `/metrics`, e.g. `payload_store_put_total{result="created"}`; 0 when it is not there. */
export async function metric(service: Pick<TestService, 'metrics'>, series: string): Promise<number> {
  const { body } = await call(service.metrics, '/metrics');
  return new MetricsReading(body.toString()).series.get(series) ?? 0;
}
