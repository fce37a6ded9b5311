import { isLoopback } from '@largepayload/codec/wire/loopback';
import { type LargePayloadStore, parseQuantity } from '@largepayload/crds';
import type { ClusterAccess } from '../callers/keys/key-sources.ts';
import { assertSecure } from '../callers/keys/secure-address.ts';
import { parseCacheSize } from '../cli/cache-size.ts';
import { stringOption, usage, type Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { assertMounts, type Mounts } from '../drivers/start-driver.ts';
import { type ListenAddress, parseListenAddress } from '../http/listen-address.ts';
import { requiresTls } from '../roles/data-port-tls.ts';
import { authenticationOf } from '../roles/manifest-facts.ts';
import type { ClusterResource, Role, ServiceSettings } from '../roles/role.ts';
import { isStorageId } from '../storage-records/identity/identity.ts';
import { isLeaseText } from '../storage-records/lease/lease.ts';
import type { ExpectedStorage } from '../storage-records/ownership/begin-store.ts';
import { SERVE_OPTIONS } from './serve-options.ts';

/** The folders that stand in for what a cluster mounts. @throws UsageError unless they are those that the storage needs */
export function mountsFor(manifest: LargePayloadStore, values: Values): Mounts {
  const [dataFolder, credentialsFolder] = [given(values, 'data-dir'), given(values, 'credentials-dir')];
  const mounts = { dataFolder, credentialsFolder };
  usage(() => assertMounts(manifest, mounts));
  return mounts;
}

/** @throws UsageError */
export function expectedStorage({ name }: Role, values: Values): ExpectedStorage {
  const claimedFile = given(values, 'claimed-file');
  const newStorageID = given(values, 'new-storage-id');
  if (claimedFile !== undefined && name === 'standalone')
    throw new UsageError('--claimed-file is for --role gateway and reaper; leave it out');
  if (newStorageID !== undefined && name !== 'gateway')
    throw new UsageError('--new-storage-id is for --role gateway; leave it out');
  if (newStorageID !== undefined && !isStorageId(newStorageID))
    throw new UsageError('--new-storage-id has up to 64 letters, digits, - and _');
  return { claimedFile, newStorageID };
}

/** @throws UsageError */
export function resourceOf({ name }: Role, values: Values): ClusterResource {
  const uid = given(values, 'resource-uid');
  const cluster = given(values, 'cluster-name');
  if (uid !== undefined && name === 'standalone')
    throw new UsageError('--resource-uid is for --role gateway and reaper; leave it out');
  if (uid !== undefined && !isStorageId(uid))
    throw new UsageError('--resource-uid has up to 64 letters, digits, - and _');
  if (cluster !== undefined && uid === undefined)
    throw new UsageError('--cluster-name tells where the resource of --resource-uid is; give that, too');
  if (cluster !== undefined && !isLeaseText(cluster))
    throw new UsageError('--cluster-name has up to 253 ASCII characters, none of them a space');
  return { uid, cluster };
}

/** Bytes of the cache that is wanted; `undefined`: none. @throws UsageError */
export function cacheSizeOf(
  { name }: Role,
  { spec: { gateway } }: LargePayloadStore,
  values: Values,
): number | undefined {
  const text = given(values, 'cache-size');
  if (name === 'standalone') return text === undefined ? undefined : parseCacheSize(text, '--cache-size');
  if (text !== undefined) throw new UsageError('--cache-size is for standalone; set spec.gateway.cacheSize');
  if (name !== 'gateway' || gateway.cacheSize === undefined) return undefined;
  return parseQuantity(gateway.cacheSize);
}

/** @throws UsageError, also where tokens are needed and none could be verified */
export function clusterAccess(
  { name }: Role,
  manifest: LargePayloadStore,
  values: Values,
): ClusterAccess | undefined {
  const folder = given(values, 'kubernetes-dir');
  const url = given(values, 'kubernetes-url');
  if ((folder ?? url) !== undefined && name !== 'gateway')
    throw new UsageError('--kubernetes-dir and --kubernetes-url are for --role gateway; leave them out');
  if (folder !== undefined) return { folder, url: apiServerUrl(url ?? 'https://kubernetes.default.svc') };
  if (url !== undefined) throw new UsageError('--kubernetes-url needs --kubernetes-dir');
  const authentication = authenticationOf(manifest);
  if (name === 'gateway' && authentication !== 'None' && (manifest.spec.gateway.oidc ?? []).length === 0)
    throw new UsageError(
      `spec.gateway.authentication ${authentication} needs --kubernetes-dir, or an issuer in spec.gateway.oidc`,
    );
  return undefined;
}

function apiServerUrl(text: string): string {
  usage(() => assertSecure(text, 'the URL'), '--kubernetes-url');
  const url = new URL(text);
  if (url.href !== `${url.origin}/`)
    throw new UsageError(`--kubernetes-url ${text} has more than a scheme, a host and a port`);
  return url.origin;
}

/** @throws UsageError */
export function tlsFolder(role: Role, manifest: LargePayloadStore, values: Values): string | undefined {
  const folder = given(values, 'tls-dir');
  if (folder !== undefined && !role.hasDataPort)
    throw new UsageError(`the role ${role.name} has no data port; leave out --tls-dir`);
  if (folder === undefined && role.name === 'gateway' && requiresTls(manifest))
    throw new UsageError('with spec.gateway.authentication: Token a gateway needs --tls-dir');
  return folder;
}

/** @throws UsageError */
export function listenAddresses(role: Role, values: Values): ServiceSettings['listen'] {
  const remote = values['allow-remote'] === true;
  if (!role.hasDataPort && given(values, 'listen') !== undefined) {
    throw new UsageError(`the role ${role.name} has no data port; leave out --listen`);
  }
  return {
    data: listenAddress(values, 'listen', remote),
    metrics: listenAddress(values, 'metrics-listen', remote),
    admin: listenAddress(values, 'admin-listen', false),
  };
}

function listenAddress(values: Values, name: string, remote: boolean): ListenAddress {
  const text = stringOption({ options: SERVE_OPTIONS }, values, name);
  const address = usage(() => parseListenAddress(text), `--${name}`);
  if (remote || isLoopback(address.host)) return address;
  const isAdmin = name === 'admin-listen';
  const fix = isAdmin ? 'whoever reaches it may delete payloads' : 'say --allow-remote if that is meant';
  throw new UsageError(`--${name} ${text} can be reached from other machines; ${fix}`);
}

function given(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}
