// The bound of S3: the least that a program using Amazon's SDK can do to store payloads under their digests, create-only,
// and to read them whole; it hashes once each way, as the service does.
//   s3-direct.ts ENDPOINT BUCKET takes a `DirectWork` by POST /, and answers with `Moved`.
import { createHash } from 'node:crypto';
import { Agent, createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { ACCESS_KEY, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import type { Moved } from '../load/rounds.ts';
import { announce } from '../processes/announce.ts';

export interface DirectWork {
  readonly verb: 'put' | 'get';
  /** bytes of one object */
  readonly size: number;
  readonly clients: number;
  /** no PUT begins after it; a GET reads each object of its seed and size one time */
  readonly seconds?: number;
  /** names what is put, and got later */
  readonly seed: string;
}

const [endpoint = '', Bucket = ''] = process.argv.slice(2);
const client = new S3Client({
  endpoint,
  credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
  region: 'us-east-1',
  forcePathStyle: true,
  // A digest is the objects' name and checksum: what else the SDK would compute is left out.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }) },
});
client.middlewareStack.add(
  (next) => async (args) => {
    const { headers } = args.request as { headers: Record<string, string> };
    const checksum = headers['x-amz-checksum-sha256'];
    // The signature needs it too; the SDK would hash once more.
    if (checksum) headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
    return await next(args);
  },
  { step: 'build' },
);

/** How much payloads differ. */
const DISTINCT_BYTES = 64;
const stored = new Map<string, string[]>();

async function run({ verb, size, clients, seconds = 0, seed }: DirectWork): Promise<Moved> {
  const latencies: number[] = [];
  const name = `${size}-${seed}`;
  const keys = verb === 'put' ? [] : (stored.get(name) ?? []);
  stored.set(name, keys);
  const queue = keys.values();
  const started = performance.now();
  const timed = async (work: () => Promise<unknown>) => {
    const sent = performance.now();
    await work();
    latencies.push(performance.now() - sent);
  };
  let puts = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      if (verb === 'get') for (const key of queue) await timed(() => get(key));
      const body = Buffer.alloc(size, 'large payload ');
      while (verb === 'put' && performance.now() - started < seconds * 1_000) {
        body.write(`${puts++} of ${seed}`.padEnd(DISTINCT_BYTES));
        await timed(async () => keys.push(await put(body)));
      }
    }),
  );
  const elapsed = (performance.now() - started) / 1_000;
  latencies.sort((a, b) => a - b);
  const bytes = latencies.length * size;
  return {
    bytes,
    mibPerSecond: bytes / 1024 ** 2 / elapsed,
    p50Ms: median(latencies),
    p99Ms: latencies[Math.ceil(latencies.length * 0.99) - 1] ?? 0,
    // This program makes its load itself.
    cpuSeconds: 0,
  };
}

async function put(body: Buffer): Promise<string> {
  const digest = createHash('sha256').update(body).digest();
  const Key = `direct/${digest.toString('hex')}`;
  const ChecksumSHA256 = digest.toString('base64');
  await client.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body: body,
      ContentLength: body.length,
      ChecksumSHA256,
      IfNoneMatch: '*',
    }),
  );
  return Key;
}

async function get(Key: string): Promise<Uint8Array | undefined> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  const bytes = await Body?.transformToByteArray();
  const digest = createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
  if (Key !== `direct/${digest}`) throw new Error(`${Key} is damaged`);
  return bytes;
}

const server = createServer(async (request, response) => {
  try {
    response.end(JSON.stringify(await run((await json(request)) as DirectWork)));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
announce(server);
