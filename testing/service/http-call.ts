import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { ERROR_TABLE, type ErrorCode } from '@largepayload/sidecar/errors/service-error';
import { expect } from 'vitest';

export interface Call {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string;
  /** the authority of the server, in PEM: the request goes over TLS */
  readonly ca?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request on a connection of its own. @throws when the connection breaks before the answer is complete */
export function call(address: string, path: string, { method = 'GET', headers, body, ca }: Call = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const options = { path, method, headers, agent: false } as const;
    const onAnswer = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        });
      });
    };
    const outgoing =
      ca === undefined
        ? request(`http://${address}`, options, onAnswer)
        : requestOverTls(`https://${address}`, { ...options, ca }, onAnswer);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The answer is this error of the table, in full: status, shape, a sentence, and `Retry-After` where it is due. */
export function expectError(answer: Answer, code: ErrorCode): void {
  const text = answer.body.toString();
  expect({ status: answer.status, text }).toMatchObject({
    status: ERROR_TABLE[code].status,
    text: expect.stringMatching(/^\{"error":\{"code":"[a-z_]+","message":".{10,}"\}\}$/),
  });
  expect(JSON.parse(text).error.code).toBe(code);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  if (answer.status === 503) expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
}

export function keyOf(answer: Answer): string {
  return (JSON.parse(answer.body.toString()) as { Key: string }).Key;
}
