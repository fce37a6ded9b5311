import { PayloadStoreUnavailableError } from '@largepayload/codec';

/** Calls the admin port and yields the JSON lines of its answer as they come. @throws PayloadStoreUnavailableError, Error */
export async function* adminLines<Line extends object>(
  method: 'GET' | 'POST',
  adminUrl: string,
  path: string,
): AsyncGenerator<Line> {
  const url = new URL(`/admin/payload-store/${path}`, adminUrl);
  const response = await fetch(url, { method }).catch((cause) =>
    Promise.reject(
      new PayloadStoreUnavailableError(
        `cannot reach the admin port at ${adminUrl}; is the service running?`,
        { cause },
      ),
    ),
  );
  if (!response.ok || response.body === null) throw new Error(await refusalText(response));
  for await (const line of linesOf(response.body)) {
    const parsed = JSON.parse(line) as Line & { done?: true; error?: { message: string } };
    if (parsed.error !== undefined) throw new Error(parsed.error.message);
    if (parsed.done === true) return;
    yield parsed as Awaited<Line>;
  }
  throw new PayloadStoreUnavailableError(
    'the admin port broke off before the work was done; run the command again',
  );
}

async function refusalText(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return `the admin port answered ${response.status}`;
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
