import type { IncomingMessage } from 'node:http';

/** The longest answer that is read where no payload is expected. */
const maximumTextBytes = 64 * 1024;

/**
 * The body of an answer that is not a payload, or undefined when it does not arrive whole within `timeoutMs`, exceeds
 * 64 KiB or is broken off. Never throws: the status is what matters, and it is known by now.
 */
export async function readText(response: IncomingMessage, timeoutMs: number): Promise<string | undefined> {
  const deadline = setTimeout(() => response.destroy(), timeoutMs);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += chunk.byteLength;
      if (bytes > maximumTextBytes) return undefined;
      chunks.push(chunk);
    }
    return response.complete ? Buffer.concat(chunks).toString('utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(deadline);
  }
}

/** The JSON object that `text` holds, or undefined when it holds anything else. */
export function parseJsonObject(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text ?? '');
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
