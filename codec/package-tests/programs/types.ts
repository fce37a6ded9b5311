// Nothing to run: what the package's declarations must accept, and what they must refuse.
import {
  BlobClient,
  LargePayloadCodec,
  type LargePayloadCodecOptions,
  PayloadStoreError,
} from '@largepayload/codec';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';

const options: LargePayloadCodecOptions = { url: 'http://127.0.0.1:8577', thresholdBytes: 1_000 };
export const codec: PayloadCodec = new LargePayloadCodec(options);
export const dataConverter: DataConverter = { payloadCodecs: [new LargePayloadCodec()] };

export async function sizeOf(payload: Payload): Promise<number | undefined> {
  const [encoded] = await new LargePayloadCodec().encode([payload]);
  return encoded?.data?.byteLength;
}

export function keyOf(failure: unknown): string | undefined {
  return failure instanceof PayloadStoreError ? failure.key : undefined;
}

// @ts-expect-error a number of bytes
new LargePayloadCodec({ thresholdBytes: '1000' });
// @ts-expect-error a payload is not an object of any shape
new LargePayloadCodec().encode([{ metadata: 'text' }]);
// @ts-expect-error no such option
new BlobClient({ uri: 'http://127.0.0.1:8577' });
