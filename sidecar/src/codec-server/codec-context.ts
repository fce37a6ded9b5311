import type { BlobClient, LargePayloadCodec } from '@largepayload/codec';
import type { FastifyBaseLogger } from 'fastify';
import type { TransferWatch } from '../data-api/transfer-watch.ts';
import type { CodecLimits } from './limits.ts';
import type { WorkGate } from './work-gate.ts';

/** What the codec server's handlers work with. */
export interface CodecContext {
  readonly client: BlobClient;
  readonly codec: LargePayloadCodec;
  /** payloads of more bytes are previewed */
  readonly previewAbove: number;
  readonly limits: CodecLimits;
  readonly gate: WorkGate;
  readonly watch: TransferWatch;
  readonly log: FastifyBaseLogger;
}
