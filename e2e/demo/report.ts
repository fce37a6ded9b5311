const colour = (code: number, text: string): string =>
  process.stdout.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text;
const [BOLD, RED, GREEN] = [1, 31, 32];

/** The output in the terminal, and whether all statements held. */
export class Report {
  readonly #failures: string[] = [];

  title(text: string): void {
    process.stdout.write(`\n${colour(BOLD, text)}\n`);
  }

  line(text: string): void {
    process.stdout.write(`  ${text}\n`);
  }

  /** A statement that must hold; the demo goes on, and fails at its end, when it does not. */
  check(statement: string, holds: boolean): void {
    this.line(`${holds ? colour(GREEN, 'ok  ') : colour(RED, 'FAIL')} ${statement}`);
    if (!holds) this.#failures.push(statement);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((_, column) =>
      Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
    );
    for (const row of [head, ...rows]) {
      this.line(
        row
          .map((cell, column) =>
            column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
          )
          .join('   '),
      );
    }
  }

  /** The exit code. */
  finish(): number {
    const failed = this.#failures.length;
    const verdict = failed === 0 ? colour(GREEN, 'all of it held') : colour(RED, `${failed} did not hold`);
    process.stdout.write(`\n${verdict}\n`);
    return failed === 0 ? 0 : 1;
  }
}
