/** What a `/metrics` told at one moment. */
export class MetricsReading {
  readonly #lines: readonly string[];

  private constructor(text: string) {
    this.#lines = text.split('\n');
  }

  /** @param at `HOST:PORT` @throws Error when nobody answers */
  static async of(at: string, limitMs = 5_000): Promise<MetricsReading> {
    const answer = await fetch(`http://${at}/metrics`, { signal: AbortSignal.timeout(limitMs) });
    return new MetricsReading(await answer.text());
  }

  /** All series of that name together, or those whose labels match. */
  sum(name: string, labels = /(?:)/): number {
    return this.#lines
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .filter((line) => labels.test(line))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}
