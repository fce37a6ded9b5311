import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** One run of `sidecar/bench/go/load`. It ends after `seconds`, after `count` requests, or when each payload was got `once`. */
export interface LoadOrder {
  readonly verb: 'put' | 'get';
  readonly clients: number;
  /** bytes of each payload */
  readonly size: number;
  /** names the payloads; a get has the seed of their put */
  readonly seed: string;
  /** a put writes the keys into this file, a get reads them */
  readonly keys: string;
  /** no request begins after this time */
  readonly seconds?: number;
  /** most requests */
  readonly count?: number;
  /** a get asks for each payload only once */
  readonly once?: boolean;
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
export async function runLoad(program: string, port: number, order: LoadOrder): Promise<LoadReport> {
  const report = await runLoadWithRefusals(program, port, order);
  const failed = Object.keys(report.statuses).filter((status) => status !== '200' && status !== '201');
  if (failed.length > 0)
    throw new Error(`${order.verb}: answers by status ${JSON.stringify(report.statuses)}`);
  return report;
}

/** Answers of any status count as answers. @throws Error when one came back altered, or did not come */
export async function runLoadWithRefusals(
  program: string,
  port: number,
  { verb, clients, size, seed, keys, seconds = 0, count = 0, once = false }: LoadOrder,
): Promise<LoadReport> {
  const { stdout } = await promisify(execFile)(program, [
    ...['-address', `127.0.0.1:${port}`, '-verb', verb, '-clients', `${clients}`, '-size', `${size}`],
    ...['-seconds', `${seconds}`, '-count', `${count}`, '-seed', seed, '-keys', keys, `-once=${once}`],
  ]);
  return JSON.parse(stdout) as LoadReport;
}

/** The keys that a put wrote into this file. */
export function storedKeys(file: string): string[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as { Key: string }[]).map(({ Key }) => Key);
}

/** Copies the first keys. */
export function keepSomeKeys(from: string, to: string, count: number): void {
  writeFileSync(to, JSON.stringify(JSON.parse(readFileSync(from, 'utf8')).slice(0, count)));
}
