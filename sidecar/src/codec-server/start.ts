import { BlobClient, type BlobClientOptions, LargePayloadCodec } from '@largepayload/codec';
import type { FastifyBaseLogger } from 'fastify';
import { drainable } from '../http/drain.ts';
import { FairBudget } from '../http/fair-budget.ts';
import { listen } from '../http/listen.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import { TransferWatch } from '../http/transfer-watch.ts';
import { memoryLimit } from '../memory/memory-limit.ts';
import { codecServerLimits } from '../memory/process-limits.ts';
import { buildCodecApp } from './codec-app.ts';
import { type CodecLimits, DEFAULT_CODEC_LIMITS } from './limits.ts';

/** Somebody waits before a page, or for a command that gives up after 10 s. */
const IDLE_TIMEOUT = 10_000;
const RETRY_TIMEOUT = 2_000;
/** Kubernetes gives 30 s between SIGTERM and SIGKILL. */
const DRAIN_LIMIT_MS = 25_000;
const PROGRESS = { progressPeriodMs: 30_000, progressBytes: 64 * 1024 };

export interface CodecServerSettings {
  /** the blob service, and how to reach it */
  readonly service: Pick<BlobClientOptions, 'url' | 'tokenFile' | 'caFile'>;
  readonly listen: ListenAddress;
  /** of the web pages that may use it */
  readonly origins: ReadonlySet<string>;
  /** payloads of more bytes are previewed */
  readonly previewAbove: number;
  readonly limits?: Partial<CodecLimits>;
}

export interface RunningCodecServer {
  /** `HOST:PORT`, as bound */
  readonly address: string;
  /** Takes no new calls, lets those in flight finish up to a limit, and ends. */
  stop(): Promise<void>;
}

/**
 * Starts Temporal's remote codec server over a blob service, which need not be there yet.
 * @throws TypeError when a setting is wrong, or the error of a port that cannot be listened on
 */
export async function startCodecServer(
  { service, listen: address, origins, previewAbove, limits: ownLimits }: CodecServerSettings,
  log: FastifyBaseLogger,
): Promise<RunningCodecServer> {
  const limits = { ...DEFAULT_CODEC_LIMITS, ...codecServerLimits(memoryLimit()), ...ownLimits };
  const client = new BlobClient({ ...service, idleTimeoutMs: IDLE_TIMEOUT });
  const codec = new LargePayloadCodec({
    ...service,
    idleTimeoutMs: IDLE_TIMEOUT,
    retryTimeoutMs: RETRY_TIMEOUT,
  });
  const gate = new FairBudget({ ...limits, limit: limits.concurrentCalls });
  const watch = new TransferWatch(PROGRESS, () => gate.demand);
  let draining = false;
  const app = buildCodecApp(
    { client, codec, previewAbove, limits, gate, watch, log },
    origins,
    () => draining,
  );
  const end = drainable(app);
  return {
    address: await listen(app, address),
    async stop() {
      draining = true;
      await end({ limitMs: DRAIN_LIMIT_MS });
      client.close();
    },
  };
}
