import { parseArgs } from 'node:util';
import packageFile from '../package.json' with { type: 'json' };
import { type Command, helpFor, parseArgsOptions, type Values } from './commands/command.ts';
import { EXIT_CODE_HELP, EXIT_CODES, exitCodeFor, UsageError } from './commands/exit-codes.ts';

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serve,
  put: async () => (await import('./commands/put.ts')).put,
  get: async () => (await import('./commands/get.ts')).get,
  check: async () => (await import('./commands/check.ts')).check,
  cleanup: async () => (await import('./commands/cleanup.ts')).cleanup,
  du: async () => (await import('./commands/du.ts')).du,
  'accept-clock': async () => (await import('./commands/accept-clock.ts')).acceptClock,
  'lifecycle-rule': async () => (await import('./commands/lifecycle-rule.ts')).lifecycleRule,
  'codec-server': async () => (await import('./commands/codec-server.ts')).codecServer,
};

const HELP = `payload-store keeps Temporal payloads that are too large for a workflow history.

Usage: payload-store COMMAND [options]

Commands:
  serve           runs the blob service
  put             stores a file as a payload and prints its reference
  get             fetches the payload of a reference and verifies it
  check           stores and fetches random bytes: can the store be used from here, and how fast
  cleanup         deletes payloads older than an age
  du              shows what is stored
  accept-clock    says that the service's clock is right, after a gap or a step
  lifecycle-rule  prints a backstop for the reaper, for the bucket
  codec-server    lets Temporal's Web UI and CLI show large payloads

payload-store COMMAND --help tells the options of a command; payload-store --version the version.

${EXIT_CODE_HELP}
`;

// Unlike any other, the first process of a container gets no signal that it does not listen to.
if (process.pid === 1)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, endUnlessHandled);

main(process.argv.slice(2)).then(
  () => {
    process.exitCode = EXIT_CODES.ok;
  },
  (error: Error) => {
    process.stderr.write(`payload-store: ${error.message}\n`);
    process.exitCode = exitCodeFor(error);
  },
);

function endUnlessHandled(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(EXIT_CODES.failure);
}

async function main(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  if (name === '--version') return void process.stdout.write(`${packageFile.version}\n`);
  if (name === '--help' || name === '-h' || name === 'help') return void process.stdout.write(HELP);
  const load = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name ?? ''] : undefined;
  if (load === undefined) {
    const given = name === undefined ? 'no command was given' : `there is no command "${name}"`;
    throw new UsageError(`${given}; there are ${Object.keys(COMMANDS).join(', ')}; see payload-store --help`);
  }
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) return void process.stdout.write(helpFor(command));
  const { positionals, values } = parseArguments(command, rest);
  await command.run(positionals, values);
}

function parseArguments(command: Command, args: string[]): { positionals: string[]; values: Values } {
  const seeHelp = `see payload-store ${command.name} --help`;
  try {
    const parsed = parseArgs({
      args,
      options: parseArgsOptions(command),
      allowPositionals: true,
      tokens: true,
    });
    assertGivenOnce(parsed.tokens);
    const missing = Object.keys(command.options).find(
      (name) => command.options[name]?.required === true && parsed.values[name] === undefined,
    );
    if (missing !== undefined)
      throw new Error(`--${missing} ${command.options[missing]?.placeholder} is required`);
    // Mostly a shell variable that is not set; `--data-dir ""` would be the working directory.
    const empty = Object.keys(parsed.values).find((name) => parsed.values[name] === '');
    if (empty !== undefined) throw new Error(`--${empty} is empty`);
    if (parsed.positionals.length !== command.positionals.length) {
      throw new Error(`expected ${command.positionals.join(' ') || 'no arguments besides options'}`);
    }
    return { positionals: parsed.positionals, values: parsed.values as Values };
  } catch (error) {
    throw new UsageError(`${(error as Error).message.replaceAll('\n', ' ')}; ${seeHelp}`);
  }
}

/** Of an option that is given twice the first would silently have no effect. */
function assertGivenOnce(tokens: readonly { readonly kind: string; readonly name?: string }[]): void {
  const names = tokens.flatMap(({ kind, name }) => (kind === 'option' && name !== undefined ? [name] : []));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--${twice} is given twice`);
}
