import { readFile } from 'node:fs/promises';
import { parseLargePayloadStore } from '@largepayload/crds';
import { type Logger, pino } from 'pino';
import packageFile from '../../package.json' with { type: 'json' };
import { FilesystemDriver } from '../drivers/filesystem/filesystem-driver.ts';
import { isLoopback, type ListenAddress, parseListenAddress } from '../http/listen-address.ts';
import { type RunningService, startStandalone } from '../roles/standalone.ts';
import { assertBuilt, unusedFields } from '../roles/standalone-fields.ts';
import { type Command, stringOption, type Values } from './command.ts';
import { UsageError } from './exit-codes.ts';

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
      required: true,
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
  const file = stringOption(serve, values, 'config');
  const content = await readFile(file, 'utf8').catch((error) =>
    Promise.reject(new UsageError(`cannot read the configuration ${file}: ${error.message}`)),
  );
  const manifest = parseLargePayloadStore(content, file);
  assertBuilt(manifest);
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  for (const field of unusedFields(manifest))
    log.info({ field }, 'this field has no effect in the role standalone');
  const driver = await FilesystemDriver.start(stringOption(serve, values, 'data-dir'));
  const service = await startStandalone(
    driver,
    { manifest, version: packageFile.version, listen },
    log,
  ).catch((error) => Promise.reject(withHint(error)));
  log.info({ ...service.addresses, version: packageFile.version }, 'listening');
  await untilStopped(service, log);
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

function withHint(error: NodeJS.ErrnoException & { address?: string; port?: number }): Error {
  if (error.syscall !== 'listen') return error;
  const place = `${error.address}:${error.port}`;
  const reason =
    error.code === 'EADDRINUSE'
      ? 'the port is in use; choose another with --listen, --metrics-listen or --admin-listen (port 0: any free one)'
      : error.message;
  return new Error(`cannot listen on ${place}: ${reason}`, { cause: error });
}

function untilStopped(service: RunningService, log: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals) => {
      // One Ctrl-C may arrive twice, through a wrapper too; it must not cut off what is in flight.
      if (stopping) return;
      stopping = true;
      log.info({ signal }, 'draining');
      service.stop().then(() => {
        log.info('stopped');
        resolve();
      }, reject);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}
