import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeReference, LargePayloadCodec, PayloadNotFoundError } from '@largepayload/codec';
import { RunningService } from '@largepayload/testing/service/service-process';
import { storedFile } from '@largepayload/testing/service/stored-file';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { parse } from 'yaml';
import { type DemoDocument, demoDocuments } from './documents.ts';
import { Report } from './report.ts';

const PayloadMessage = proto.temporal.api.common.v1.Payload;
const REPOSITORY = join(import.meta.dirname, '../..');
const PROGRAM = join(REPOSITORY, 'sidecar/dist/payload-store.mjs');
const CONFIG = join(REPOSITORY, 'examples/store.yaml');
const ANY_PORT = '127.0.0.1:0';
/** The width of the windows of a TTL of 12 s (docs/architecture.md), ms. */
const WINDOW_WIDTH = 1_000;
const LONGEST_WAIT = 40_000;

interface Stored {
  readonly document: DemoDocument;
  readonly encoded: Payload;
  readonly file: string;
  /** moment before the codec got it, ms since the epoch */
  readonly begun: number;
}

const report = new Report();
const folder = mkdtempSync(join(tmpdir(), 'payload-store-demo-'));
const ttl: string = parse(readFileSync(CONFIG, 'utf8')).spec.retention.ttl;
const ttlMilliseconds = Number(/^([0-9]+)s$/.exec(ttl)?.[1]) * 1_000;

report.title('payload-store, standalone on a folder');
const started = performance.now();
const service = await RunningService.start(PROGRAM, [
  ...['--config', CONFIG, '--data-dir', folder],
  ...['--listen', ANY_PORT, '--metrics-listen', ANY_PORT, '--admin-listen', ANY_PORT],
]);
report.line(
  `listening at ${service.url} after ${(performance.now() - started).toFixed(0)} ms; TTL ${ttl}, data in ${folder}`,
);

let exitCode = 1;
try {
  const codec = new LargePayloadCodec({ url: service.url, namespace: 'demo' });
  const documents = demoDocuments(REPOSITORY);
  const before = await counters();
  const stored = await roundTrips(codec, documents);
  await deduplication(codec, documents[0] as DemoDocument);
  showMetrics(before, await counters());
  await expiry(codec, stored);
} catch (error) {
  report.check(`nothing failed: ${error instanceof Error ? error.stack : error}`, false);
} finally {
  const code = await service.stop();
  report.check('SIGTERM ends the service with exit code 0', code === 0);
  rmSync(folder, { recursive: true, force: true });
  exitCode = report.finish();
}
process.exitCode = exitCode;

async function roundTrips(codec: LargePayloadCodec, documents: readonly DemoDocument[]): Promise<Stored[]> {
  report.title('Documents through the codec');
  const rows: string[][] = [];
  const stored: Stored[] = [];
  let verified = true;
  for (const document of documents) {
    const begun = Date.now();
    const [encoded, putTime] = await timed(() => one(codec.encode([document.payload])));
    const [decoded, getTime] = await timed(() => one(codec.decode([encoded])));
    const same = digestOf(decoded) === digestOf(document.payload);
    verified &&= same;
    stored.push({ document, encoded, file: storedFile(folder, encoded), begun });
    rows.push([
      document.name,
      kilobytes(document.payload.data?.length ?? 0),
      `${PayloadMessage.encode(encoded).finish().length} B`,
      `${putTime.toFixed(1)} ms`,
      `${getTime.toFixed(1)} ms`,
      same ? 'verified' : 'WRONG',
    ]);
  }
  report.table(['document', 'size', 'reference in history', 'put', 'get', 'sha256'], rows);
  report.check('every document came back with the digest it went in with', verified);
  for (const { document, file } of stored) {
    const size = existsSync(file) ? statSync(file).size : -1;
    report.check(
      `${document.name} is one file on the disk: ${shorten(file)}`,
      size === document.payload.data?.length,
    );
  }
  return stored;
}

/** Equal bytes in one window are stored once. The window may end between two encodes; then the pair is tried again. */
async function deduplication(codec: LargePayloadCodec, document: DemoDocument): Promise<void> {
  report.title('The same document again');
  for (let attempt = 1; attempt <= 5; attempt++) {
    await sleep(WINDOW_WIDTH - (Date.now() % WINDOW_WIDTH) + 20);
    const before = await counters();
    const first = await one(codec.encode([document.payload]));
    const second = await one(codec.encode([document.payload]));
    const after = await counters();
    if (keyOf(first) !== keyOf(second)) continue;
    const moved = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    report.check(
      `the second encode was a dedup hit: the same key, ${kilobytes(moved('payload_store_put_bytes_total'))} stored for two`,
      moved('payload_store_put_total{result="existed"}') === 1 &&
        moved('payload_store_put_bytes_total') === document.payload.data?.length,
    );
    return;
  }
  report.check('two encodes within one window', false);
}

/** The service's counters in `/metrics`, by name and labels. */
async function counters(): Promise<Map<string, number>> {
  const { series } = await service.metrics();
  return new Map([...series].filter(([name]) => /^payload_store_.*_total/.test(name)));
}

function showMetrics(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): void {
  report.title('Metrics that moved');
  const moved = [...after].filter(([name, value]) => value !== (before.get(name) ?? 0));
  for (const [name, value] of moved) report.line(`${name} ${before.get(name) ?? 0} -> ${value}`);
  for (const name of ['put_bytes', 'get']) {
    const metric = `payload_store_${name}_total`;
    report.check(
      `${metric} moved`,
      moved.some(([candidate]) => candidate === metric),
    );
  }
}

async function expiry(codec: LargePayloadCodec, stored: readonly Stored[]): Promise<void> {
  report.title(`After the TTL of ${ttl}`);
  const waited = performance.now();
  let early = false;
  while (stored.some(({ file }) => existsSync(file)) && performance.now() - waited < LONGEST_WAIT) {
    early ||= stored.some(({ file, begun }) => Date.now() < begun + ttlMilliseconds && !existsSync(file));
    await sleep(100);
  }
  report.check(`none went before its TTL of ${ttl}`, !early);
  report.line(`waited ${((performance.now() - waited) / 1_000).toFixed(1)} s for the reaper`);
  for (const { document, file } of stored)
    report.check(`${document.name} is gone from the disk`, !existsSync(file));
  // The reaper counts a window's payloads after it has deleted all of them.
  const deleted = await eventualValue(async () => {
    const count = (await counters()).get('payload_store_cleanup_deleted_total') ?? 0;
    return count >= stored.length ? count : undefined;
  }, 10_000);
  report.check(`payload_store_cleanup_deleted_total is ${deleted}`, deleted >= stored.length);
  const failure = await codec.decode([(stored[0] as Stored).encoded]).then(
    () => undefined,
    (error: unknown) => error,
  );
  report.check(
    `decoding the dead reference fails: ${failure instanceof Error ? `${failure.name}: ${failure.message}` : failure}`,
    failure instanceof PayloadNotFoundError && failure.key === keyOf((stored[0] as Stored).encoded),
  );
}

async function one(payloads: Promise<Payload[]>): Promise<Payload> {
  const [payload] = await payloads;
  if (payload === undefined) throw new Error('the codec returned no payload');
  return payload;
}

async function timed<T>(action: () => Promise<T>): Promise<[T, number]> {
  const begun = performance.now();
  return [await action(), performance.now() - begun];
}

function digestOf(payload: Payload): string {
  return createHash('sha256')
    .update(payload.data ?? new Uint8Array())
    .digest('hex');
}

function keyOf(encoded: Payload): string {
  const reference = decodeReference(encoded);
  return reference.version === 'v2' ? reference.key : '';
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toLocaleString('en-US', { maximumFractionDigits: 0 })} kB`;
}

function shorten(path: string): string {
  return path.replace(folder, '').replaceAll(/sha256:([0-9a-f]{8})[0-9a-f]{56}/g, 'sha256:$1…');
}
