/** The content of a `/metrics` at one moment. */
export class MetricsReading {
  /** Values by series, e.g. `payload_store_put_total{result="created"}`. */
  readonly series: ReadonlyMap<string, number>;

  constructor(text: string) {
    const lines = text.split('\n').filter((line) => /^[a-z]/.test(line));
    this.series = new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))] as const;
      }),
    );
  }

  /** @param at `HOST:PORT` @throws Error when the port does not answer */
  static async of(at: string, limitMs = 5_000): Promise<MetricsReading> {
    const answer = await fetch(`http://${at}/metrics`, { signal: AbortSignal.timeout(limitMs) });
    return new MetricsReading(await answer.text());
  }

  /** The value of a series; or the sum of all series of that name, or of those whose labels match. */
  sum(name: string, labels = /(?:)/): number {
    return [...this.series]
      .filter(([series]) => series === name || series.startsWith(`${name}{`))
      .filter(([series]) => labels.test(series))
      .reduce((sum, [, value]) => sum + value, 0);
  }
}
