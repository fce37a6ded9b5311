import { type LargePayloadStore, ManifestError, unsupportedFields } from '@largepayload/crds';
import packageFile from '../../package.json' with { type: 'json' };
import { type Command, stringOption, type Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { untilStopped, withPortHint } from '../cli/long-running.ts';
import { readManifest } from '../cli/manifest-file.ts';
import { noticesOfEnvironment } from '../drivers/start-driver.ts';
import { createLog } from '../log/log.ts';
import type { Role, RoleName } from '../roles/role.ts';
import { ROLES } from '../roles/roles.ts';
import { SERVE_OPTIONS } from './serve-options.ts';
import {
  cacheSizeOf,
  clusterAccess,
  expectedStorage,
  listenAddresses,
  mountsFor,
  resourceOf,
  tlsFolder,
} from './serve-settings.ts';

export const command: Command = {
  name: 'serve',
  summary: 'Runs the blob service.',
  options: SERVE_OPTIONS,
  notes: `Port 0 takes any free port. When ready it logs one JSON line with "msg":"listening" and the addresses "data",
"metrics" and "admin". SIGTERM and SIGINT let what is in flight finish, then end it with exit code 0. A standalone
service ends when its storage cannot be used at the start; gateway and reaper listen all the same, say why on /readyz,
and try again until it can.`,
  run,
};

async function run(values: Values): Promise<void> {
  const role = await roleNamed(stringOption(command, values, 'role'));
  const listen = listenAddresses(role, values);
  const manifest = await manifestFor(role, stringOption(command, values, 'config'));
  const settings = {
    ...{ manifest, version: packageFile.version, listen },
    ...{ expected: expectedStorage(role, values), resource: resourceOf(role, values) },
    cacheSize: cacheSizeOf(role, manifest, values),
    cluster: clusterAccess(role, manifest, values),
    tlsFolder: tlsFolder(role, manifest, values),
    acceptClock: values['accept-clock'] === true,
  };
  const mounts = mountsFor(manifest, values);
  const log = createLog();
  for (const field of role.unusedFields?.(manifest) ?? [])
    log.info({ field }, `this field has no effect in the role ${role.name}`);
  for (const { level, text } of await noticesOfEnvironment(manifest)) log[level](text);
  const service = await role
    .start(settings, mounts, log)
    .catch((error) => Promise.reject(withPortHint(error, '--listen, --metrics-listen or --admin-listen')));
  // Before the line is logged: a reader of it may end the process at once.
  const stopped = untilStopped(service, log);
  log.info({ ...service.addresses, role: role.name, version: settings.version }, 'listening');
  await stopped;
}

/** @throws UsageError when there is no such role */
async function roleNamed(name: string): Promise<Role> {
  if (Object.hasOwn(ROLES, name)) return await ROLES[name as RoleName]();
  throw new UsageError(`there is no role "${name}"; there are ${Object.keys(ROLES).join(', ')}`);
}

/** @throws UsageError, and ManifestError rather than run without a feature that the manifest asks for */
async function manifestFor(role: Role, file: string): Promise<LargePayloadStore> {
  // A store that version 0.1 began in a reserved prefix is still served.
  const manifest = await readManifest(file, { allowReservedPrefix: true });
  const problems = unsupportedFields(manifest.spec);
  if (problems.length > 0) throw new ManifestError(`LargePayloadStore ${manifest.metadata.name}`, problems);
  role.assertNeeded?.(manifest);
  return manifest;
}
