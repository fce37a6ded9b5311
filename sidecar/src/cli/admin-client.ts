import { PayloadStoreUnavailableError } from '@largepayload/codec';
import { ERROR_TABLE, type ErrorCode } from '../errors/service-error.ts';
import { parseAdminUrl } from './service-url.ts';

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * Calls the admin port and yields the JSON lines of its answer as they come.
 * @throws UsageError, PayloadStoreUnavailableError, Error
 */
export async function* adminLines<Line extends object>(
  method: 'GET' | 'POST',
  adminUrl: string,
  path: string,
): AsyncGenerator<Line> {
  const url = new URL(`/admin/payload-store/${path}`, parseAdminUrl(adminUrl));
  const unreachable = `cannot reach the admin port at ${adminUrl}; is the service running?`;
  const response = await fetch(url, { method }).catch((cause) =>
    Promise.reject(new PayloadStoreUnavailableError(unreachable, { cause })),
  );
  if (!response.ok || response.body === null) throw await refusalOf(response);
  for await (const line of linesOf(response.body)) {
    const parsed = JSON.parse(line) as Line & { done?: true; error?: Refusal };
    if (parsed.error !== undefined) throw failureOf(parsed.error);
    if (parsed.done === true) return;
    yield parsed as Awaited<Line>;
  }
  throw brokenOff();
}

async function refusalOf(response: Response): Promise<Error> {
  const text = await response.text();
  try {
    return failureOf((JSON.parse(text) as { error: Refusal }).error);
  } catch {
    return new Error(`the admin port answered ${response.status}`);
  }
}

function failureOf({ code, message }: Refusal): Error {
  const retryable = Object.hasOwn(ERROR_TABLE, code) && ERROR_TABLE[code as ErrorCode].retryable;
  return retryable ? new PayloadStoreUnavailableError(message) : new Error(message);
}

function brokenOff(cause?: unknown): PayloadStoreUnavailableError {
  const message = 'the admin port broke off before the work was done; run the command again';
  return new PayloadStoreUnavailableError(message, { cause });
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    throw brokenOff(cause);
  }
}
