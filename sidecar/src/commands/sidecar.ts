import packageFile from '../../package.json' with { type: 'json' };
import type { Command, Values } from '../cli/command.ts';
import { untilStopped, withPortHint } from '../cli/long-running.ts';
import { createLog } from '../log/log.ts';
import { startSidecar } from '../roles/sidecar.ts';
import { SIDECAR_OPTIONS, sidecarSettings } from './sidecar-settings.ts';

export const command: Command = {
  name: 'sidecar',
  summary: 'Forwards the payloads of a worker on this machine to a gateway.',
  options: SIDECAR_OPTIONS,
  notes: `An option wins over its environment variable. The worker's codec uses http://127.0.0.1:8577, without a token. The
sidecar starts, and goes on, without a gateway, a token or authorities: the worker then gets a 503, which it retries and
whose code says what is missing. When it listens it logs one JSON line with "msg":"listening" and the addresses "data" and
"metrics". SIGTERM and SIGINT let what is in flight finish, then end it with exit code 0. HTTP_PROXY and HTTPS_PROXY are not
used.`,
  run,
};

async function run(values: Values): Promise<void> {
  const settings = sidecarSettings(values, process.env);
  const log = createLog();
  const { url, tokenFile, caFile } = settings.gateway;
  if (url.protocol === 'http:' && (tokenFile ?? caFile) !== undefined)
    log.warn('the gateway URL is http://, so the token is not sent and no certificate is verified');
  const service = await startSidecar(settings, log).catch((error) =>
    Promise.reject(withPortHint(error, '--listen or --metrics-listen')),
  );
  // Before the line is logged: a reader of it may end the process at once.
  const stopped = untilStopped(service, log);
  log.info({ ...service.addresses, gateway: url.origin, version: packageFile.version }, 'listening');
  await stopped;
}
