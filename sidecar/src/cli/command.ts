import { UsageError } from './exit-codes.ts';

export interface OptionHelp {
  /** one letter, for `-f` beside `--file` */
  readonly short?: string;
  /** shown for the value, e.g. `HOST:PORT`; absent: the option takes none */
  readonly placeholder?: string;
  readonly help: string;
  readonly default?: string;
  readonly required?: boolean;
}

export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** One subcommand of `payload-store`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** name of the positional argument, which is required; absent: there is none */
  readonly positional?: string;
  readonly options: Readonly<Record<string, OptionHelp>>;
  /** Longer text below the options. */
  readonly notes?: string;
  /** @param positional empty where there is none */
  run(values: Values, positional: string): Promise<void>;
}

/** The value of a string option: as given, or its default. */
export function stringOption({ options }: Pick<Command, 'options'>, values: Values, name: string): string {
  const value = values[name] ?? options[name]?.default;
  if (typeof value === 'string') return value;
  throw new Error(`option --${name} has neither value nor default`);
}

/** The result of a check that fails only when the arguments are wrong. @throws UsageError, which names the option if given */
export function usage<T>(check: () => T, option?: string): T {
  try {
    return check();
  } catch (error) {
    const { message } = error as Error;
    throw new UsageError(option === undefined ? message : `${option}: ${message}`);
  }
}

export function helpFor(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const names = option.short === undefined ? `--${name}` : `-${option.short}, --${name}`;
    const left = option.placeholder === undefined ? names : `${names} ${option.placeholder}`;
    const fallback = option.default === undefined ? '' : ` [default: ${option.default}]`;
    return [left, `${option.help}${option.required === true ? ' (required)' : ''}${fallback}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const positional = command.positional === undefined ? '' : ` ${command.positional}`;
  return [
    `${command.summary}\n`,
    `Usage: payload-store ${command.name}${positional} [options]\n`,
    'Options:',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    ...(command.notes === undefined ? [] : ['', command.notes]),
    '',
  ].join('\n');
}
