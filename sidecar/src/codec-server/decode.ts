import {
  type BlobClient,
  type BlobReference,
  decodeReference,
  externalSizeRemoved,
  PayloadReferenceError,
  PayloadStoreError,
  PayloadStoreUnavailableError,
  referenceMarker,
} from '@largepayload/codec';
import { ServiceError } from '../errors/service-error.ts';
import type { CodecContext } from './codec-context.ts';
import { type JsonPayload, jsonPayload, payloadOfJson } from './payloads-json.ts';
import { BEGINNING_BYTES, type Beginning, failureOf, previewOf } from './stand-in.ts';

/** In base64. Metadata of 107 KB is in use; what is longer was not written by a codec. */
const LONGEST_REFERENCE = 512 * 1024;

type DecodeContext = Pick<CodecContext, 'client' | 'previewAbove' | 'limits' | 'log'>;

export interface DecodeSignals {
  /** aborted when the caller has left */
  readonly left: AbortSignal;
  /** the time for reading is over; what was not read is named only */
  readonly late: AbortSignal;
}

/**
 * The payloads in their order, each reference replaced by what it stands for, one at a time. Fails for none of them: a
 * payload that is too large or cannot be read is replaced by one that says so, since one call shows a whole page.
 * @throws the reason of `left`
 */
export async function* decodeAll(
  payloads: readonly JsonPayload[],
  context: DecodeContext,
  signals: DecodeSignals,
): AsyncGenerator<JsonPayload> {
  const failures = new Map<string, number>();
  let room = context.limits.decodedBytes;
  for (const payload of payloads) {
    signals.left.throwIfAborted();
    if (!Object.hasOwn(payload.metadata ?? {}, referenceMarker)) {
      yield payload;
      continue;
    }
    const { shown, bytes, failure } = await decode(payload, room, context, signals);
    room -= bytes;
    if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1);
    yield shown;
  }
  if (failures.size > 0) context.log.warn({ failures: Object.fromEntries(failures) }, 'payloads not read');
}

interface Decoded {
  readonly shown: JsonPayload;
  /** how much of the answer's room it takes */
  readonly bytes: number;
  /** the error's name */
  readonly failure?: string;
}

async function decode(
  payload: JsonPayload,
  room: number,
  { client, previewAbove, log }: DecodeContext,
  signals: DecodeSignals,
): Promise<Decoded> {
  let reference: BlobReference | undefined;
  try {
    reference = referenceOf(payload);
    if (reference.size > Math.min(previewAbove, room)) {
      return { shown: previewOf(reference, await readBeginning(reference, client, signals)), bytes: 0 };
    }
    return { shown: await readWhole(payload, reference, client, signals), bytes: reference.size };
  } catch (error) {
    signals.left.throwIfAborted();
    const failure = knownFailure(error, log);
    const key = reference?.version === 'v2' ? reference.key : undefined;
    return { shown: failureOf(failure, key), bytes: 0, failure: failure.name };
  }
}

/** @throws PayloadReferenceError */
function referenceOf(payload: JsonPayload): BlobReference {
  if ((payload.data ?? '').length > LONGEST_REFERENCE) {
    throw new PayloadReferenceError('malformed payload reference: longer than any codec writes');
  }
  return decodeReference(payloadOfJson(payload));
}

async function readWhole(
  payload: JsonPayload,
  reference: BlobReference,
  client: BlobClient,
  { left, late }: DecodeSignals,
): Promise<JsonPayload> {
  try {
    const request = { ...reference, signal: AbortSignal.any([left, late]) };
    const data = await ('key' in request ? client.get(request) : client.getByDigest(request));
    return { ...externalSizeRemoved(payload, reference.size), ...jsonPayload(reference.metadata, data) };
  } catch (error) {
    if (!late.aborted) throw error;
    throw new PayloadStoreUnavailableError('this call took too long before the payload was read; reload');
  }
}

/** A payload of any size in constant memory. One that time does not suffice for is shown as far as it was read. */
async function readBeginning(
  reference: BlobReference,
  client: BlobClient,
  { left, late }: DecodeSignals,
): Promise<Beginning> {
  const bytes = Buffer.alloc(Math.min(BEGINNING_BYTES, reference.size));
  let read = 0;
  // There is no stream of what references of version 1 name, and they are too rare for one.
  if (reference.version === 'v1') return { bytes: bytes.subarray(0, 0), verified: false };
  try {
    const signal = AbortSignal.any([left, late]);
    const stream: AsyncIterable<Buffer> = await client.getStream({ ...reference, signal });
    for await (const chunk of stream) {
      if (read < bytes.length) read += chunk.copy(bytes, read);
    }
    return { bytes, verified: true };
  } catch (error) {
    if (late.aborted) return { bytes: bytes.subarray(0, read), verified: false };
    throw error;
  }
}

function knownFailure(error: unknown, log: DecodeContext['log']): PayloadStoreError {
  if (error instanceof PayloadStoreError) return error;
  if (error instanceof ServiceError) return new PayloadReferenceError(error.message, { cause: error });
  log.error({ err: error }, 'decoding failed');
  return new PayloadStoreError('internal error; the log of the codec server has the details');
}
