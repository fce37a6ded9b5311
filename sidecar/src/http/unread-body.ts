import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** How long a client that was answered may go on sending (ms): closing with bytes unread would destroy the answer on its way (RFC 9112, 9.6). */
export const UNREAD_TIME = 5_000;

/**
 * Node reads what is left of a body to its end to keep the connection; a client that does not notice the answer, or
 * does not care, would be fed for hours.
 */
export function limitUnreadBodies(app: FastifyInstance): void {
  app.addHook('onResponse', async ({ raw: request }) => {
    if (request.complete || request.destroyed) return;
    const timer = setTimeout(() => request.socket.destroy(), UNREAD_TIME);
    for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer));
  });
}

/** Whether the client holds its body back until `100 Continue`; an HTTP/1.0 client does not know that (RFC 9110, 10.1.1). */
export function waitsForContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue';
}
