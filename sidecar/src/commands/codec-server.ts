import { isLoopback } from '@largepayload/codec/wire/loopback';
import { parseQuantity } from '@largepayload/crds/quantity';
import packageFile from '../../package.json' with { type: 'json' };
import { type Command, stringOption, usage, type Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { humanBytes } from '../cli/human.ts';
import { untilStopped, withPortHint } from '../cli/long-running.ts';
import { SERVICE_OPTIONS, serviceOf } from '../cli/service-url.ts';
import { parseOrigins } from '../codec-server/origins.ts';
import { startCodecServer } from '../codec-server/start.ts';
import { type ListenAddress, parseListenAddress } from '../http/listen-address.ts';
import { createLog } from '../log/log.ts';

/** A process with little memory shows the beginning of smaller payloads too. */
const LARGEST_PREVIEW_ABOVE = 32 * 1024 * 1024;

export const command: Command = {
  name: 'codec-server',
  summary: "Lets Temporal's Web UI and CLI show large payloads: Temporal's remote codec protocol.",
  options: {
    ...SERVICE_OPTIONS,
    listen: { placeholder: 'HOST:PORT', help: 'codec port', default: '127.0.0.1:8888' },
    'allow-origin': {
      placeholder: 'ORIGINS',
      help: 'the Web UIs that may use it, separated by commas, such as http://127.0.0.1:8233; without it none',
    },
    'preview-above': {
      placeholder: 'SIZE',
      help: `show only the beginning of payloads larger than this, up to ${humanBytes(LARGEST_PREVIEW_ABOVE)}`,
      default: '1Mi',
    },
    'allow-remote': {
      help: 'let it listen beyond loopback; it asks nobody for credentials',
    },
  },
  notes: `Whoever reaches the port can read every payload whose reference they know, and store new ones: beyond loopback,
put a proxy with authentication and TLS in front of it. It is for people's eyes: a worker that used it as its codec would
be handed previews. When ready it logs one JSON line with "msg":"listening" and the address "codec". SIGTERM and SIGINT let
what is in flight finish, then end it with exit code 0.`,
  run,
};

async function run(values: Values): Promise<void> {
  const settings = {
    service: serviceOf(values),
    listen: listenAddress(values),
    origins: usage(() => originsOf(values), '--allow-origin'),
    previewAbove: usage(() => previewAbove(values), '--preview-above'),
  };
  const log = createLog();
  const server = await startCodecServer(settings, log).catch((error) => Promise.reject(withHint(error)));
  const origins = [...settings.origins];
  // Before the line is logged: a reader of it may end the process at once.
  const stopped = untilStopped(server, log);
  log.info(
    { codec: server.address, url: settings.service.url, origins, version: packageFile.version },
    'listening',
  );
  await stopped;
}

function listenAddress(values: Values): ListenAddress {
  const text = stringOption(command, values, 'listen');
  const address = usage(() => parseListenAddress(text), '--listen');
  if (values['allow-remote'] === true || isLoopback(address.host)) return address;
  throw new UsageError(
    `--listen ${text} can be reached from other machines, and whoever reaches it reads payloads; ` +
      'say --allow-remote if that is meant, and put authentication in front of it',
  );
}

function originsOf({ 'allow-origin': text }: Values): ReadonlySet<string> {
  return text === undefined ? new Set() : parseOrigins(String(text));
}

function previewAbove(values: Values): number {
  const size = parseQuantity(stringOption(command, values, 'preview-above'));
  if (size <= LARGEST_PREVIEW_ABOVE) return size;
  throw new Error(`at most ${humanBytes(LARGEST_PREVIEW_ABOVE)}, since one answer holds no more`);
}

function withHint(error: Error): Error {
  return error instanceof TypeError ? new UsageError(error.message) : withPortHint(error, '--listen');
}
