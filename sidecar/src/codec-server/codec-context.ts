import type { BlobClient, LargePayloadCodec } from '@largepayload/codec';
import type { FastifyBaseLogger } from 'fastify';
import type { FairBudget } from '../http/fair-budget.ts';
import type { TransferWatch } from '../http/transfer-watch.ts';
import type { CodecLimits } from './limits.ts';

/** What the codec server's handlers work with. */
export interface CodecContext {
  readonly client: BlobClient;
  readonly codec: LargePayloadCodec;
  /** payloads of more bytes are previewed */
  readonly previewAbove: number;
  readonly limits: CodecLimits;
  /** calls that are worked on at a time */
  readonly gate: FairBudget;
  readonly watch: TransferWatch;
  readonly log: FastifyBaseLogger;
}
