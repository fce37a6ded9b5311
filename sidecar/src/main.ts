import packageFile from '../package.json' with { type: 'json' };
import { type Command, helpFor } from './cli/command.ts';
import { EXIT_CODE_HELP, EXIT_CODES, UsageError } from './cli/exit-codes.ts';
import { parseArguments } from './cli/parse-arguments.ts';

/** A command is loaded when it is run: the build makes a file of each, and a process reads no other command's code. */
const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  serve: () => import('./commands/serve.ts'),
  sidecar: () => import('./commands/sidecar.ts'),
  put: () => import('./commands/put.ts'),
  get: () => import('./commands/get.ts'),
  check: () => import('./commands/check.ts'),
  cleanup: () => import('./commands/cleanup.ts'),
  du: () => import('./commands/du.ts'),
  'accept-clock': () => import('./commands/accept-clock.ts'),
  'lifecycle-rule': () => import('./commands/lifecycle-rule.ts'),
  doctor: () => import('./commands/doctor.ts'),
  'codec-server': () => import('./commands/codec-server.ts'),
  inject: () => import('./commands/inject.ts'),
};

const HELP = `payload-store keeps Temporal payloads that are too large for a workflow history.

Usage: payload-store COMMAND [options]

Commands:
  serve           runs the blob service
  sidecar         forwards the payloads of a worker on this machine to a gateway
  put             stores a file as a payload and prints its reference
  get             fetches the payload of a reference and verifies it
  check           stores and fetches random bytes: can the store be used from here, and how fast
  cleanup         deletes payloads older than an age
  du              shows what is stored
  accept-clock    says that the service's clock is right, after a gap or a step
  lifecycle-rule  prints a backstop for the reaper, for the bucket
  doctor          walks the way from the workers of a Kubernetes namespace to their storage
  codec-server    lets Temporal's Web UI and CLI show large payloads
  inject          puts a sidecar into the pods of Kubernetes manifests

payload-store COMMAND --help tells the options of a command; payload-store --version the version.

${EXIT_CODE_HELP}
`;

// The kernel gives the first process of a container no signal that it does not listen to.
if (process.pid === 1)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, endUnlessHandled);

main(process.argv.slice(2)).then(
  () => {
    process.exitCode = EXIT_CODES.ok;
  },
  async (error: Error) => {
    const { errorText } = await import('./cli/error-text.ts');
    process.stderr.write(`payload-store: ${errorText(error)}\n`);
    const { exitCodeFor } = await import('./cli/exit-code-for.ts');
    process.exitCode = exitCodeFor(error);
  },
);

function endUnlessHandled(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(EXIT_CODES.failure);
}

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === '--version') return void process.stdout.write(`${packageFile.version}\n`);
  if (name === '--help' || name === '-h' || name === 'help') return void process.stdout.write(HELP);
  const command = await commandNamed(name);
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(helpFor(command));
  const { values, positional } = parseArguments(command, args);
  await command.run(values, positional);
}

/** @throws UsageError when there is no such command */
async function commandNamed(name: string | undefined): Promise<Command> {
  const load = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name ?? ''] : undefined;
  if (load !== undefined) return (await load()).command;
  const given = name === undefined ? 'no command was given' : `there is no command "${name}"`;
  throw new UsageError(`${given}; there are ${Object.keys(COMMANDS).join(', ')}; see payload-store --help`);
}
