import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What `sidecar/bench/go/load` does in one run. */
export interface LoadOrder {
  readonly verb: 'put' | 'get';
  readonly clients: number;
  /** bytes of each payload */
  readonly size: number;
  /** no request begins after it */
  readonly seconds: number;
  /** names the payloads; a get has that of their put */
  readonly seed: string;
  /** a put writes the keys into this file, a get reads them */
  readonly keys: string;
  /** a get asks for each payload one time */
  readonly once?: boolean;
  /** at most so many requests */
  readonly count?: number;
}

/** What the load client prints; `report.go` has the same fields. Latencies are those of successes. */
export interface LoadReport {
  readonly seconds: number;
  readonly bytes: number;
  readonly mibPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** number of answers by their status */
  readonly statuses: Readonly<Record<string, number>>;
  /** of the load client itself */
  readonly cpuSeconds: number;
}

/** @throws Error when an answer was no success, came back altered, or did not come */
export async function runLoadClient(program: string, port: number, order: LoadOrder): Promise<LoadReport> {
  const { verb, clients, size, seconds, seed, keys, once = false, count = 0 } = order;
  const { stdout } = await promisify(execFile)(program, [
    ...['-address', `127.0.0.1:${port}`, '-verb', verb, '-clients', `${clients}`, '-size', `${size}`],
    ...['-seconds', `${seconds}`, '-count', `${count}`, '-seed', seed, '-keys', keys, `-once=${once}`],
  ]);
  const report = JSON.parse(stdout) as LoadReport;
  const failed = Object.keys(report.statuses).filter((status) => status !== '200' && status !== '201');
  if (failed.length > 0) throw new Error(`${verb}: answers by status ${JSON.stringify(report.statuses)}`);
  return report;
}
