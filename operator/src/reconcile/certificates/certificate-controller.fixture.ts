import { pino } from 'pino';
import { afterEach } from 'vitest';
import type { ClusterView } from '../../cluster/cluster-view.ts';
import { ApiError } from '../../kubernetes/api.ts';
import { Metrics } from '../../operations/metrics.ts';
import type { StoreResource } from '../../stores/read-store.ts';
import { ON_S3, store } from '../../stores/stores.fixture.ts';
import { CertificateController, type WebhookCertificate } from './certificate-controller.ts';
import type {
  CertificateRequest,
  CertificateSource,
  CertificateStatus,
  ReplacedAt,
} from './certificate-source.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

export const AUTHORITY = { fingerprint: 'one', notAfter: 2_000_000_000_000 };
export const WELL: CertificateStatus = { authority: 'one', issuedAt: 5, notAfter: 1_900_000_000_000 };

/** Does what a test says, and remembers what it was asked for. */
export class ScriptedSource implements CertificateSource {
  bundle: string | undefined = 'PEM';
  problem: string | undefined;
  authority: CertificateSource['authority'] = AUTHORITY;
  readonly requests: CertificateRequest[] = [];
  readonly removed: string[] = [];
  readonly replacedAt: (number | undefined)[] = [];
  looks = 0;
  onSettle: (request: CertificateRequest) => CertificateStatus = () => WELL;
  onLook: () => boolean = () => false;

  async lookAtAuthority(replacedAt: ReplacedAt): Promise<boolean> {
    this.looks += 1;
    this.replacedAt.push(replacedAt('one'));
    return this.onLook();
  }

  async settle(request: CertificateRequest): Promise<CertificateStatus> {
    this.requests.push(request);
    return this.onSettle(request);
  }

  async remove(namespace: string): Promise<void> {
    this.removed.push(namespace);
  }
}

/** A controller at work, and a cluster whose stores a test changes. */
export function running(source: ScriptedSource, ...present: StoreResource[]) {
  return runningWith(source, undefined, ...present);
}

export function runningWith(
  source: ScriptedSource,
  webhook: WebhookCertificate | undefined,
  ...present: StoreResource[]
) {
  const stores = new Map<string, StoreResource>();
  const listeners: ((key: string) => void)[] = [];
  const metrics = new Metrics();
  const cluster = {
    store: (key: string) => stores.get(key),
    onChange: (listener: (key: string) => void) => listeners.push(listener),
    synced: Promise.resolve(),
  } as Partial<ClusterView> as ClusterView;
  const log = pino({ level: 'silent' });
  const controller = new CertificateController({ cluster, source, webhook, metrics, log });
  const changed: string[] = [];
  controller.onChange((key) => changed.push(key));
  const change = (key: string, after: StoreResource | undefined) => {
    if (after === undefined) stores.delete(key);
    else stores.set(key, after);
    for (const listener of listeners) listener(key);
  };
  const put = (after: StoreResource) => change(`${after.namespace}/${after.name}`, after);
  for (const each of present) put(each);
  const end = new AbortController();
  const ended = controller.run(end.signal);
  stops.push(async () => {
    end.abort();
    await ended;
  });
  return { controller, metrics, changed, put, remove: (key: string) => change(key, undefined) };
}

export const withNames = (namespace: string, name: string, dnsNames?: string[]) =>
  store({ ...ON_S3, gateway: { ...ON_S3.gateway, dnsNames } }, { namespace, name, uid: name });
export const refusal = (status: number, message: string) => new ApiError(message, { status });
export const asked = (source: ScriptedSource) =>
  source.requests.map(({ namespace, names }) => [namespace, ...names.slice(2)].join(' '));
