import { pino } from 'pino';
import packageFile from '../../package.json' with { type: 'json' };
import { MountError, startDriver } from '../drivers/start-driver.ts';
import { isLoopback, type ListenAddress, parseListenAddress } from '../http/listen-address.ts';
import { startStandalone } from '../roles/standalone.ts';
import { assertBuilt, unusedFields } from '../roles/standalone-fields.ts';
import { type Command, stringOption, type Values } from './command.ts';
import { UsageError } from './exit-codes.ts';
import { untilStopped, withPortHint } from './long-running.ts';
import { readManifest } from './manifest-file.ts';

export const serve: Command = {
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
    role: { type: 'string', placeholder: 'ROLE', help: 'what this process does', default: 'standalone' },
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
    listen: { type: 'string', placeholder: 'HOST:PORT', help: 'data port', default: '127.0.0.1:8577' },
    'metrics-listen': {
      type: 'string',
      placeholder: 'HOST:PORT',
      help: '/metrics, /healthz and /readyz',
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
      help: 'let the data and metrics ports listen beyond loopback; a standalone service asks nobody for credentials',
    },
  },
  notes: `Port 0 takes any free port. When ready it logs one JSON line with "msg":"listening" and the addresses "data",
"metrics" and "admin". SIGTERM and SIGINT let what is in flight finish, then end it with exit code 0.`,
  run,
};

async function run(_positionals: readonly string[], values: Values): Promise<void> {
  if (stringOption(serve, values, 'role') !== 'standalone') {
    throw new UsageError(`--role ${values.role} is not built yet; this version has the role standalone`);
  }
  const listen = listenAddresses(values);
  const manifest = await readManifest(stringOption(serve, values, 'config'));
  assertBuilt(manifest);
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  for (const field of unusedFields(manifest))
    log.info({ field }, 'this field has no effect in the role standalone');
  const { driver, notices } = await startDriver(manifest, {
    dataFolder: givenOption(values, 'data-dir'),
    credentialsFolder: givenOption(values, 'credentials-dir'),
  }).catch((error) => Promise.reject(error instanceof MountError ? new UsageError(error.message) : error));
  for (const notice of notices) log.warn(notice);
  const service = await startStandalone(
    driver,
    { manifest, version: packageFile.version, listen },
    log,
  ).catch((error) => Promise.reject(withPortHint(error, '--listen, --metrics-listen or --admin-listen')));
  log.info({ ...service.addresses, version: packageFile.version }, 'listening');
  await untilStopped(service, log);
}

function givenOption(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

function listenAddresses(values: Values): Record<'data' | 'metrics' | 'admin', ListenAddress> {
  const remote = values['allow-remote'] === true;
  return {
    data: listenAddress(values, 'listen', remote),
    metrics: listenAddress(values, 'metrics-listen', remote),
    admin: listenAddress(values, 'admin-listen', false),
  };
}

function listenAddress(values: Values, name: string, remote: boolean): ListenAddress {
  const text = stringOption(serve, values, name);
  let address: ListenAddress;
  try {
    address = parseListenAddress(text);
  } catch (error) {
    throw new UsageError(`--${name}: ${(error as Error).message}`);
  }
  if (remote || isLoopback(address.host)) return address;
  const fix =
    name === 'admin-listen'
      ? 'whoever reaches it may delete payloads'
      : 'say --allow-remote if that is meant';
  throw new UsageError(`--${name} ${text} can be reached from other machines; ${fix}`);
}
