import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Command, Values } from './command.ts';
import { UsageError } from './exit-codes.ts';

/**
 * The values of the options that are given, and the positional argument, which is empty where the command takes none.
 * @throws UsageError when the arguments are not those that the command takes
 */
export function parseArguments(command: Command, args: readonly string[]) {
  try {
    return parsed(command, args);
  } catch (error) {
    // What Node adds to an unknown option is about files whose names begin with a dash.
    const problem = (error as Error).message
      .replaceAll('\n', ' ')
      .replace(/\. To specify a positional .*$/, '');
    throw new UsageError(`${problem}; see payload-store ${command.name} --help`);
  }
}

function parsed(command: Command, args: readonly string[]) {
  const options: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(command.options).map(([name, { placeholder, short }]) => [
      name,
      { type: placeholder === undefined ? 'boolean' : 'string', ...(short && { short }) },
    ]),
  );
  const { tokens, positionals, values } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    tokens: true,
  });
  assertGivenOnce(tokens);
  for (const [name, { required, placeholder }] of Object.entries(command.options)) {
    if (required === true && values[name] === undefined)
      throw new UsageError(`--${name} ${placeholder} is required`);
  }
  // An empty value comes from a shell variable that is not set, and `--data-dir ""` would be the working directory.
  const empty = Object.keys(values).find((name) => values[name] === '');
  if (empty !== undefined) throw new UsageError(`--${empty} is empty`);
  if (positionals.length !== (command.positional === undefined ? 0 : 1))
    throw new UsageError(`expected ${command.positional ?? 'no arguments besides options'}`);
  return { values: values as Values, positional: positionals[0] ?? '' };
}

/** `parseArgs` takes the last value of an option that is given twice, and drops the first in silence. */
function assertGivenOnce(tokens: readonly { readonly kind: string; readonly name?: string }[]): void {
  const names = tokens.flatMap(({ kind, name }) => (kind === 'option' && name !== undefined ? [name] : []));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--${twice} is given twice`);
}
