import type { ServerResponse } from 'node:http';

/** Answers as S3 does. */
export function answerError(
  response: ServerResponse,
  status: number,
  { code, message, retryAfter }: { code: string; message: string; retryAfter?: number | undefined },
): void {
  answerXml(response, status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`, {
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
  });
}

export function answerXml(
  response: ServerResponse,
  status: number,
  content: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${content}`);
  response.writeHead(status, {
    'Content-Type': 'application/xml',
    'Content-Length': body.length,
    ...headers,
  });
  // Node sends no body in answer to HEAD.
  response.end(body);
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
