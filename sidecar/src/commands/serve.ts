import { type LargePayloadStore, ManifestError, unsupportedFields } from '@largepayload/crds';
import packageFile from '../../package.json' with { type: 'json' };
import { assertMounts, type Mounts, noticesOfEnvironment } from '../drivers/start-driver.ts';
import { isLoopback, type ListenAddress, parseListenAddress } from '../http/listen-address.ts';
import { createLog } from '../log/log.ts';
import type { ClusterResource, Role, RoleName, ServiceSettings } from '../roles/role.ts';
import { ROLES } from '../roles/roles.ts';
import { isStorageId } from '../storage-records/identity/identity.ts';
import { isLeaseText } from '../storage-records/lease/lease.ts';
import type { Claim } from '../storage-records/ownership/storage-identity.ts';
import { type Command, stringOption, type Values } from './command.ts';
import { UsageError } from './exit-codes.ts';
import { untilStopped, withPortHint } from './long-running.ts';
import { readManifest } from './manifest-file.ts';

export const command: Command = {
  name: 'serve',
  summary: 'Runs the blob service.',
  positionals: [],
  options: {
    config: {
      type: 'string',
      placeholder: 'FILE',
      help: 'a LargePayloadStore manifest, the same that kubectl apply takes',
      required: true,
    },
    role: {
      type: 'string',
      placeholder: 'ROLE',
      help: 'what this process does: standalone (everything), gateway (takes and serves payloads) or reaper (deletes what has expired)',
      default: 'standalone',
    },
    'data-dir': {
      type: 'string',
      placeholder: 'DIR',
      help: 'the folder that payloads are kept in; stands in for the claim of spec.storage.filesystem',
    },
    'credentials-dir': {
      type: 'string',
      placeholder: 'DIR',
      help: 'S3 credentials as files: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, perhaps AWS_SESSION_TOKEN; read again when they change [default: as the AWS SDK finds them]',
    },
    'claimed-file': {
      type: 'string',
      placeholder: 'FILE',
      help: "for gateway and reaper: has the id of the store's storage, once there is one; another one is then not used, nor an empty one begun in",
    },
    'new-storage-id': {
      type: 'string',
      placeholder: 'ID',
      help: 'for a gateway: id of a storage that it begins the store in, the same for all gateways of the store [default: random]',
    },
    'accept-clock': {
      type: 'boolean',
      help: "for one start: the clock is right, whatever the storage's clock.json says",
    },
    'resource-uid': {
      type: 'string',
      placeholder: 'UID',
      help: "for gateway and reaper: of the resource whose process this is; another one's is refused while this one uses the storage [default: the store's namespace and name, as for standalone]",
    },
    'cluster-name': {
      type: 'string',
      placeholder: 'NAME',
      help: 'for gateway and reaper, with --resource-uid: how whoever is refused shall be told where that resource is',
    },
    listen: {
      type: 'string',
      placeholder: 'HOST:PORT',
      help: 'data port, which a reaper does not have; :8577 for all interfaces',
      default: '127.0.0.1:8577',
    },
    'metrics-listen': {
      type: 'string',
      placeholder: 'HOST:PORT',
      help: '/metrics, /healthz, /readyz and /status',
      default: '127.0.0.1:8578',
    },
    'admin-listen': {
      type: 'string',
      placeholder: 'HOST:PORT',
      help: 'admin port, on loopback only',
      default: '127.0.0.1:9099',
    },
    'allow-remote': {
      type: 'boolean',
      help: 'let the data and metrics ports listen beyond loopback; nobody is asked for credentials there',
    },
  },
  notes: `Port 0 takes any free port. When ready it logs one JSON line with "msg":"listening" and the addresses "data",
"metrics" and "admin". SIGTERM and SIGINT let what is in flight finish, then end it with exit code 0. A standalone
service ends when its storage cannot be used at the start; gateway and reaper listen all the same, say why on /readyz,
and try again until it can.`,
  run,
};

async function run(_positionals: readonly string[], values: Values): Promise<void> {
  const role = await roleNamed(stringOption(command, values, 'role'));
  const listen = listenAddresses(role, values);
  // A store that 0.1 began there goes on.
  const manifest = await readManifest(stringOption(command, values, 'config'), { allowReservedPrefix: true });
  assertSupported(manifest);
  role.assertNeeded(manifest);
  const mounts: Mounts = {
    dataFolder: givenOption(values, 'data-dir'),
    credentialsFolder: givenOption(values, 'credentials-dir'),
  };
  const claim = claimOf(role, values);
  const acceptClock = values['accept-clock'] === true;
  const resource = resourceOf(role, values);
  usage(() => assertMounts(manifest, mounts));
  const log = createLog();
  for (const field of role.unusedFields(manifest))
    log.info({ field }, `this field has no effect in the role ${role.name}`);
  for (const { level, text } of await noticesOfEnvironment(manifest)) log[level](text);
  const { version } = packageFile;
  const service = await role
    .start({ manifest, version, listen, claim, resource, acceptClock }, mounts, log)
    .catch((error) => Promise.reject(withPortHint(error, '--listen, --metrics-listen or --admin-listen')));
  // Whoever reads that it listens may end it at once.
  const stopped = untilStopped(service, log);
  log.info({ ...service.addresses, role: role.name, version }, 'listening');
  await stopped;
}

/** @throws UsageError when there is no such role */
async function roleNamed(name: string): Promise<Role> {
  if (Object.hasOwn(ROLES, name)) return await ROLES[name as RoleName]();
  throw new UsageError(`there is no role "${name}"; there are ${Object.keys(ROLES).join(', ')}`);
}

/** @throws ManifestError rather than run without a feature that the manifest asks for */
function assertSupported({ spec, metadata }: LargePayloadStore): void {
  const problems = unsupportedFields(spec);
  if (problems.length > 0) throw new ManifestError(`LargePayloadStore ${metadata.name}`, problems);
}

function givenOption(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

function claimOf({ name }: Role, values: Values): Claim {
  const claimedFile = givenOption(values, 'claimed-file');
  if (claimedFile !== undefined && name === 'standalone')
    throw new UsageError('--claimed-file is for --role gateway and reaper; leave it out');
  const newStorageID = givenOption(values, 'new-storage-id');
  if (newStorageID !== undefined && name !== 'gateway')
    throw new UsageError('--new-storage-id is for --role gateway; leave it out');
  if (newStorageID !== undefined && !isStorageId(newStorageID))
    throw new UsageError('--new-storage-id has up to 64 letters, digits, - and _');
  return { claimedFile, newStorageID };
}

function resourceOf({ name }: Role, values: Values): ClusterResource {
  const uid = givenOption(values, 'resource-uid');
  const cluster = givenOption(values, 'cluster-name');
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

function listenAddresses(role: Role, values: Values): ServiceSettings['listen'] {
  const remote = values['allow-remote'] === true;
  if (!role.hasDataPort && givenOption(values, 'listen') !== undefined) {
    throw new UsageError(`the role ${role.name} has no data port; leave out --listen`);
  }
  return {
    data: listenAddress(values, 'listen', remote),
    metrics: listenAddress(values, 'metrics-listen', remote),
    admin: listenAddress(values, 'admin-listen', false),
  };
}

function listenAddress(values: Values, name: string, remote: boolean): ListenAddress {
  const text = stringOption(command, values, name);
  const address = usage(() => parseListenAddress(text), `--${name}: `);
  if (remote || isLoopback(address.host)) return address;
  const fix =
    name === 'admin-listen'
      ? 'whoever reaches it may delete payloads'
      : 'say --allow-remote if that is meant';
  throw new UsageError(`--${name} ${text} can be reached from other machines; ${fix}`);
}

/** What goes wrong in it is the fault of the arguments. */
function usage<T>(check: () => T, prefix = ''): T {
  try {
    return check();
  } catch (error) {
    throw new UsageError(`${prefix}${(error as Error).message}`);
  }
}
