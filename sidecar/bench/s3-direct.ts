// The bound of S3: the least that a program using Amazon's SDK can do to store payloads under their digests, create-only,
// and to read them whole; it hashes once each way, as the service does.
//   s3-direct.ts ENDPOINT BUCKET; does what POST / says, a `DirectWork`, and answers with a `Load`.
import { createHash } from 'node:crypto';
import { Agent, createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ACCESS_KEY, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { announce } from './announce.ts';
import type { Load } from './comparison.ts';
import { payloadStart } from './load.ts';

export interface DirectWork {
  readonly verb: 'put' | 'get';
  /** bytes of one object */
  readonly size: number;
  readonly count: number;
  readonly clients: number;
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

const stored = new Map<string, string[]>();

async function run({ verb, size, count, clients, seed }: DirectWork): Promise<Load> {
  const latencies: number[] = [];
  const queue = Array.from({ length: count }, (_, index) => index).values();
  const keys = stored.get(seed) ?? [];
  stored.set(seed, keys);
  const bodies = Array.from({ length: clients }, () => Buffer.alloc(size, 'large payload '));
  const started = performance.now();
  await Promise.all(
    bodies.map(async (body) => {
      for (const index of queue) {
        if (verb === 'put') payloadStart(index, seed).copy(body);
        const sent = performance.now();
        if (verb === 'put') keys[index] = await put(body);
        else await get(keys[index] ?? '');
        latencies.push(performance.now() - sent);
      }
    }),
  );
  return { seconds: (performance.now() - started) / 1_000, latencies };
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
