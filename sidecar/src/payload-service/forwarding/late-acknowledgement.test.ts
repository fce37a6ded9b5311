import { metadataHash } from '@largepayload/codec/wire/metadata';
import { httpServer } from '@largepayload/testing/servers/test-server';
import { digestOf } from '@largepayload/testing/service/payload';
import { expect, onTestFinished, test } from 'vitest';
import { sourceOf } from '../../bytes/byte-streams.ts';
import { formatKey } from '../../keys/key.ts';
import { windowForPut } from '../../keys/window.ts';
import { type Moment, momentNow } from '../../time/moment.ts';
import type { PutRequest } from '../payload-service.ts';
import { ForwardingService } from './forwarding-service.ts';

const SECOND = 1_000;
const BYTES = Buffer.from('some bytes');
const METADATA = new Map([['encoding', Buffer.from('json/plain')]]);

/** A PUT through a sidecar whose gateway keeps payloads for `ttlMs`. */
async function put(ttlMs: number, received: Moment) {
  const window = windowForPut(Date.now(), ttlMs, 0);
  const parts = { namespace: 'orders', keyPrefix: undefined, digest: digestOf(BYTES) };
  const key = formatKey({ ...parts, window, metadataHash: metadataHash(METADATA) });
  const gateway = await httpServer((request, response) => {
    request.resume().once('end', () => response.writeHead(201).end(JSON.stringify({ Key: key })));
  });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const line = () => {};
  const log = { info: line, warn: line, error: line };
  const service = new ForwardingService({ url: new URL(gateway.url), keptBytes: 1_000_000 }, log);
  onTestFinished(() => service.close());
  const request: PutRequest = {
    ...{ namespace: 'orders', keyPrefix: undefined, workflowId: undefined, metadata: METADATA, received },
    ...{ facts: { size: BYTES.length, digest: parts.digest }, body: sourceOf([BYTES]) },
    ...{ caller: { peer: 'a' }, signal: new AbortController().signal },
  };
  return await service.put(request);
}

/** So many ms ago, by the clocks of the sidecar. */
function ago({ wall = 0, monotonic = 0 }: { wall?: number; monotonic?: number }): Moment {
  const { wallTime, monotonicTime } = momentNow();
  return { wallTime: wallTime - wall, monotonicTime: monotonicTime - monotonic };
}

test('what is acknowledged later than the TTL of its key allows is no acknowledgement', async () => {
  const late = { code: 'put_timeout', message: expect.stringMatching(/took ([3-9]|\d{2,})\.\d s .* is 2 s/) };
  await expect(put(8 * SECOND, ago({ monotonic: 3 * SECOND }))).rejects.toMatchObject(late);
  await expect(put(8 * SECOND, ago({ wall: 3 * SECOND }))).rejects.toMatchObject(late);
});

test('the time that the store allows is in the key', async () => {
  const { key } = await put(40 * SECOND, ago({ monotonic: 3 * SECOND }));
  expect(key).toMatch(/^\/expires-/);
});
