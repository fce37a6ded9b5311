import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { PayloadIntegrityError, PayloadStoreError } from '../wire/errors.ts';
import { foreignAnswer, isForeignContent } from './foreign-answer.ts';
import { type ExpectedPayload, PayloadVerifier } from './payload-verifier.ts';

/**
 * Reads a whole payload. Memory is set aside in one piece only when the service announces the expected length;
 * otherwise it grows with what arrives, since `expected.size` comes from a reference that anybody may have written.
 * @throws PayloadIntegrityError when the bytes are not the expected ones or break off; PayloadStoreUnavailableError
 * when they stop coming, or are not the expected ones and somebody else's page; PayloadStoreError when they do not fit
 * into memory.
 */
export async function collectPayload(
  response: IncomingMessage,
  expected: ExpectedPayload,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const verifier = new PayloadVerifier(expected);
  try {
    const announced = checkAnnouncedLength(response, expected);
    const whole = allocate(announced ?? 0, expected.key);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response) {
      const offset = verifier.receivedBytes;
      verifier.update(chunk);
      if (announced === undefined) chunks.push(chunk);
      else whole.set(chunk, offset);
    }
    verifier.finish();
    return announced === undefined ? joined(chunks, allocate(expected.size, expected.key)) : whole;
  } catch (failure) {
    response.destroy();
    throw signal?.aborted ? signal.reason : asReadFailure(failure, response, expected);
  }
}

/**
 * The payload as a stream that fails, instead of ending, with what {@link collectPayload} throws. Bytes are passed on
 * before they are verified: whoever reads them must not act on them before the end. Destroying it frees the connection.
 * @throws PayloadIntegrityError at once when the service announces another length than expected.
 */
export function streamPayload(
  response: IncomingMessage,
  expected: ExpectedPayload,
  signal: AbortSignal | undefined,
): Readable {
  try {
    checkAnnouncedLength(response, expected);
  } catch (failure) {
    response.destroy();
    throw asReadFailure(failure, response, expected);
  }
  const verifying = new VerifyingStream(response, expected);
  response.on('error', (failure) =>
    verifying.destroy(signal?.aborted ? signal.reason : asReadFailure(failure, response, expected)),
  );
  verifying.on('close', () => response.destroy());
  response.pipe(verifying);
  return verifying;
}

class VerifyingStream extends Transform {
  readonly #response: IncomingMessage;
  readonly #expected: ExpectedPayload;
  readonly #verifier: PayloadVerifier;

  constructor(response: IncomingMessage, expected: ExpectedPayload) {
    super();
    this.#response = response;
    this.#expected = expected;
    this.#verifier = new PayloadVerifier(expected);
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#verifier.update(chunk);
      done(null, chunk);
    } catch (failure) {
      done(asReadFailure(failure, this.#response, this.#expected));
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#verifier.finish();
      done();
    } catch (failure) {
      done(asReadFailure(failure, this.#response, this.#expected));
    }
  }
}

function checkAnnouncedLength(response: IncomingMessage, { size, key }: ExpectedPayload): number | undefined {
  const header = response.headers['content-length'];
  if (header === undefined) return undefined;
  if (Number(header) !== size) {
    throw new PayloadIntegrityError(`the service announces ${header} bytes instead of ${size}`, { key });
  }
  return size;
}

function allocate(bytes: number, key: string | undefined): Uint8Array {
  try {
    // Not cleared first: either all of it is overwritten, or it is not handed out.
    const { buffer } = Buffer.allocUnsafeSlow(bytes);
    return new Uint8Array(buffer, 0, bytes);
  } catch (cause) {
    throw new PayloadStoreError(`a payload of ${bytes} bytes does not fit into memory`, { key, cause });
  }
}

function joined(chunks: readonly Uint8Array[], whole: Uint8Array): Uint8Array {
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** An error of another class comes from the connection: it was reset, closed early, or its framing was broken. */
function asReadFailure(
  failure: unknown,
  response: IncomingMessage,
  { key }: ExpectedPayload,
): PayloadStoreError {
  const problem =
    failure instanceof PayloadStoreError
      ? failure
      : new PayloadIntegrityError('the payload broke off before its end', {
          key,
          cause: failure,
          retryable: true,
        });
  return problem instanceof PayloadIntegrityError && isForeignContent(response)
    ? foreignAnswer(response, problem.message, key)
    : problem;
}
