import type { OutgoingHttpHeaders } from 'node:http';
import { LargePayloadCodec } from '@largepayload/codec';
import { type Answer, call } from '@largepayload/testing/service/http-call';
import { pino } from 'pino';
import { expect } from 'vitest';
import type { CodecLimits } from './limits.ts';
import { type JsonPayload, jsonPayload, type Payload } from './payloads-json.ts';
import { type CodecServerSettings, startCodecServer } from './start.ts';

export interface TestCodecServer extends AsyncDisposable {
  readonly address: string;
  /** the lines logged so far */
  readonly log: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

export interface TestCodecOptions {
  readonly origins?: readonly string[];
  readonly previewAbove?: number;
  readonly limits?: Partial<CodecLimits>;
}

/** A codec server on a real socket over a blob service, or the one at `HOST:PORT`. */
export async function startCodec(
  service: string | CodecServerSettings['service'],
  { origins = [], previewAbove = 1024 * 1024, limits = {} }: TestCodecOptions = {},
): Promise<TestCodecServer> {
  const log: Record<string, unknown>[] = [];
  const server = await startCodecServer(
    {
      service: typeof service === 'string' ? { url: `http://${service}` } : service,
      listen: { host: '127.0.0.1', port: 0 },
      origins: new Set(origins),
      previewAbove,
      limits,
    },
    pino({ base: null }, { write: (line: string) => log.push(JSON.parse(line)) }),
  );
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= server.stop();
    return stopped;
  };
  return { address: server.address, log, stop, [Symbol.asyncDispose]: stop };
}

export const JSON_HEADERS = { 'Content-Type': 'application/json' };

/** Posts payloads as Temporal's CLI and Web UI do. */
export function post(
  { address }: Pick<TestCodecServer, 'address'>,
  path: string,
  payloads: readonly JsonPayload[],
  headers: OutgoingHttpHeaders = {},
): Promise<Answer> {
  const body = JSON.stringify({ payloads });
  return call(address, path, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body });
}

export function payloadsOf(answer: Answer): JsonPayload[] {
  expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
    status: 200,
    type: 'application/json; charset=utf-8',
  });
  return JSON.parse(answer.body.toString()).payloads;
}

export async function decoded(
  server: Pick<TestCodecServer, 'address'>,
  ...payloads: JsonPayload[]
): Promise<JsonPayload[]> {
  return payloadsOf(await post(server, '/decode', payloads));
}

/** What a stand-in says: a preview's or a failure's fields. */
export function told(payload: JsonPayload | undefined): Record<string, unknown> {
  expect(payload?.metadata).toEqual({ encoding: base64('json/plain') });
  const content = JSON.parse(Buffer.from(payload?.data ?? '', 'base64').toString());
  expect(Object.keys(content)).toHaveLength(1);
  return content.largePayload ?? content.largePayloadError;
}

export function base64(text: string | Buffer): string {
  return Buffer.from(text).toString('base64');
}

export function payload(content: string | Buffer, encoding = 'json/plain'): JsonPayload {
  return jsonPayload([['encoding', Buffer.from(encoding)]], Buffer.from(content));
}

/** The reference that a worker's codec writes for a payload, in JSON as a server with all fields hands it out. */
export async function stored(
  service: string,
  content: string | Buffer,
  metadata: Record<string, Uint8Array> = { encoding: Buffer.from('json/plain') },
): Promise<JsonPayload> {
  const codec = new LargePayloadCodec({ url: `http://${service}`, namespace: 'orders', thresholdBytes: 0 });
  const [reference] = await codec.encode([{ metadata, data: Buffer.from(content) }]);
  const { metadata: marks, data, externalPayloads } = reference as Payload;
  return {
    ...jsonPayload(Object.entries(marks ?? {}), data ?? new Uint8Array()),
    externalPayloads: (externalPayloads ?? []).map(({ sizeBytes }) => ({ sizeBytes: String(sizeBytes) })),
  };
}

/** The reference with some of its fields replaced. */
export function altered(reference: JsonPayload, fields: Record<string, unknown>): JsonPayload {
  const content = JSON.parse(Buffer.from(reference.data ?? '', 'base64').toString());
  return { ...reference, data: base64(JSON.stringify({ ...content, ...fields })) };
}

export function keyIn(reference: JsonPayload): string {
  return JSON.parse(Buffer.from(reference.data ?? '', 'base64').toString()).key;
}
