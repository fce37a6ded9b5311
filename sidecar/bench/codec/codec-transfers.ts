import { randomBytes, randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { LargePayloadCodec } from '@largepayload/codec';
import { median } from '@largepayload/testing/benchmarks/markdown-table';
import type { Payload } from '@temporalio/common';
import { ServerProcess } from '../processes/server-process.ts';
import { serveArguments } from '../processes/servers.ts';

const MIB = 1024 ** 2;
const PAYLOADS = 64;
const ROUNDS = 7;
const SMALL_PAYLOADS = 1_000;

export interface CodecRow {
  readonly what: string;
  /** at least so many times as fast */
  readonly goal: number;
  /** ms for all payloads in one call, median */
  readonly together: number;
  /** ms for one call after another, median */
  readonly oneByOne: number;
  /** how many times as fast: the median of rounds that took turns */
  readonly ratio: number;
}

/** 64 payloads of 1 MiB in one call, beside one call for each, on a local store and on one that is 20 ms away. */
export async function codecTransfers(config: string, folder: string): Promise<CodecRow[]> {
  const service = await ServerProcess.start(...serveArguments(config, folder));
  const distant = await ServerProcess.start(
    join(import.meta.dirname, 'latency-proxy.ts'),
    String(service.port),
  );
  try {
    return [
      ...(await encodeAndDecode('local store', 1.5, service.port)),
      ...(await encodeAndDecode('20 ms away', 4, distant.port)),
    ];
  } finally {
    await distant.stop();
    await service.stop();
  }
}

async function encodeAndDecode(where: string, goal: number, port: number): Promise<CodecRow[]> {
  const codec = new LargePayloadCodec({ url: `http://127.0.0.1:${port}`, namespace: 'bench' });
  const encoding: Round[] = [];
  const decoding: Round[] = [];
  // The first round warms up connections and memory.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const sets = [payloadSet(), payloadSet()];
    const encode = (payloads: Payload[]) => codec.encode(payloads);
    encoding.push(await takeTurns(round, encode, sets[0] ?? [], sets[1] ?? []));
    const references = await codec.encode(sets[0] ?? []);
    decoding.push(await takeTurns(round, (payloads) => codec.decode(payloads), references, references));
  }
  return [
    rowOf(`encode, ${where}`, goal, encoding.slice(1)),
    rowOf(`decode, ${where}`, goal, decoding.slice(1)),
  ];
}

interface Round {
  readonly together: number;
  readonly oneByOne: number;
}

type Work = (payloads: Payload[]) => Promise<unknown>;

async function takeTurns(round: number, work: Work, first: Payload[], second: Payload[]): Promise<Round> {
  const measure = {
    together: () => timed(() => work(first)),
    oneByOne: () =>
      timed(async () => {
        for (const payload of second) await work([payload]);
      }),
  };
  const early = round % 2 === 0 ? await measure.oneByOne() : undefined;
  const together = await measure.together();
  return { together, oneByOne: early ?? (await measure.oneByOne()) };
}

function rowOf(what: string, goal: number, rounds: readonly Round[]): CodecRow {
  return {
    what,
    goal,
    together: median(rounds.map(({ together }) => together)),
    oneByOne: median(rounds.map(({ oneByOne }) => oneByOne)),
    ratio: median(rounds.map(({ together, oneByOne }) => oneByOne / together)),
  };
}

/** ms that encoding and decoding 1,000 payloads under the threshold take in all, median; no service is asked. */
export async function smallPayloadCost(): Promise<number> {
  const codec = new LargePayloadCodec({ url: 'http://127.0.0.1:1', namespace: 'bench' });
  const payloads = Array.from({ length: SMALL_PAYLOADS }, () => payloadOf(1_000));
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push(await timed(async () => codec.decode(await codec.encode(payloads))));
  }
  return median(rounds);
}

function payloadSet(): Payload[] {
  return Array.from({ length: PAYLOADS }, () => payloadOf(MIB));
}

function payloadOf(bytes: number): Payload {
  const data = new Uint8Array(bytes);
  randomFillSync(data, 0, Math.min(bytes, 4_096));
  return { metadata: { encoding: Buffer.from('binary/plain'), id: randomBytes(8) }, data };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
