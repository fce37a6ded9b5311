import { randomBytes } from 'node:crypto';
import { LargePayloadCodec } from '@largepayload/codec';
import { RunningProxy } from '@largepayload/testing/fault-proxy/running-proxy';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import type { Payload } from '@temporalio/common';
import type { ServerProcess } from '../processes/server-process.ts';
import type { Chains } from './chains.ts';

const REFERENCES = 1_000;
const CONTENTS = 200;
const SIZE = 150_000;
const CALLS_AT_A_TIME = 16;
const SEED = 1;

/** What a worker's references asked for. */
export interface SharedReferences {
  readonly references: number;
  readonly contents: number;
  readonly gatewayGets: number;
  /** of the gateway, to the storage */
  readonly storageGets: number;
  readonly storageHeads: number;
}

/** 1,000 calls of the codec, each for one reference, to 200 contents that no cache has seen. */
export async function sharedReferences(server: S3Server, chains: Chains): Promise<SharedReferences> {
  const proxy = await RunningProxy.start(server.endpoint, SEED);
  try {
    const s3 = { ...(await server.newBucket()), endpoint: proxy.endpoint };
    const writer = await chains.start('tls', s3);
    const references = await codecOf(writer.sidecar).encode(Array.from({ length: CONTENTS }, payload));
    const reader = await chains.start('tls', s3, '--cache-size', '64Mi');
    const codec = codecOf(reader.sidecar);
    const before = (await proxy.observed()).payloadRequests;
    // Every content five times, the same ones beside each other: that is where one request has to do for several.
    const wanted = Array.from({ length: REFERENCES }, (_, index) =>
      Math.floor((index * CONTENTS) / REFERENCES),
    );
    const queue = wanted.values();
    await Promise.all(
      Array.from({ length: CALLS_AT_A_TIME }, async () => {
        for (const index of queue) await codec.decode([references[index] ?? {}]);
      }),
    );
    const after = (await proxy.observed()).payloadRequests;
    return {
      references: REFERENCES,
      contents: CONTENTS,
      gatewayGets: await getsOf(reader.gateway),
      storageGets: (after.get ?? 0) - (before.get ?? 0),
      storageHeads: (after.head ?? 0) - (before.head ?? 0),
    };
  } finally {
    await proxy.stop();
  }
}

function codecOf({ port }: ServerProcess): LargePayloadCodec {
  return new LargePayloadCodec({ url: `http://127.0.0.1:${port}`, namespace: 'bench' });
}

function payload(): Payload {
  return { metadata: { encoding: Buffer.from('binary/plain') }, data: randomBytes(SIZE) };
}

async function getsOf({ metricsPort }: ServerProcess): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^payload_store_get_total (\d+)/m.exec(metrics)?.[1] ?? Number.NaN);
}
