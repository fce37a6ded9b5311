import { PayloadIntegrityError, PayloadStoreError } from '@largepayload/codec';
import { ERROR_TABLE, type ErrorCode, ServiceError } from '../errors/service-error.ts';
import type { CodecContext } from './codec-context.ts';
import { type JsonPayload, jsonPayload, type Payload, payloadOfJson } from './payloads-json.ts';
import { isStandIn } from './stand-in.ts';

/**
 * The payloads in their order, those above the codec's threshold stored and replaced by references, one at a time.
 * @param namespace to store them under; needed only when there is one to store
 * @throws ServiceError when one cannot be stored: an input must not be lost silently
 */
export async function encodeAll(
  payloads: readonly JsonPayload[],
  namespace: string | undefined,
  { codec }: Pick<CodecContext, 'codec'>,
  signal: AbortSignal,
): Promise<JsonPayload[]> {
  const encoded: JsonPayload[] = [];
  for (const json of payloads) {
    signal.throwIfAborted();
    const payload = payloadOfJson(json);
    if (isStandIn(payload)) {
      throw new ServiceError(
        'invalid_payloads',
        'this is what the codec server shows in place of a large payload, not the payload; give the payload itself',
      );
    }
    const [result = payload] = await codec
      .encode([payload], { namespace })
      .catch((error) => Promise.reject(answerTo(error, namespace)));
    encoded.push(result === payload ? json : inPlaceOf(json, result));
  }
  return encoded;
}

/**
 * The size that the codec adds in `externalPayloads` is left out: Temporal's CLI refuses an answer with a field that is
 * younger than itself.
 */
function inPlaceOf(json: JsonPayload, { metadata, data }: Payload): JsonPayload {
  return { ...json, ...jsonPayload(Object.entries(metadata ?? {}), data ?? new Uint8Array()) };
}

function answerTo(error: unknown, namespace: string | undefined): unknown {
  if (error instanceof TypeError && namespace === undefined) {
    return new ServiceError(
      'invalid_namespace',
      'a payload has to be stored and its Temporal namespace is unknown: send X-Namespace, or use /NAMESPACE/encode',
      { cause: error },
    );
  }
  if (!(error instanceof PayloadStoreError)) return error;
  return new ServiceError(codeOf(error), error.message, { cause: error });
}

/** What the blob service answered goes on to the caller. */
function codeOf(error: PayloadStoreError): ErrorCode {
  if (Object.hasOwn(ERROR_TABLE, error.code ?? '')) return error.code as ErrorCode;
  return error instanceof PayloadIntegrityError ? 'integrity' : 'storage_unavailable';
}
