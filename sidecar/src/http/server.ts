import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ConnectionRules } from '../memory/connection-rules.ts';
import { answerBrokenHead } from './broken-head.ts';
import { Connections } from './connections.ts';
import { type TlsRules, takeTlsAndPlain } from './tls/tls-and-plain.ts';

/** Wakes the process each time, also without connections; ms */
const HEAD_CHECK_INTERVAL = 5_000;

export interface HttpServerSettings {
  readonly connections: ConnectionRules;
  /** a request head must be complete after this time; ms */
  readonly headersTimeout: number;
  /** connections stay open so long without a request; ms */
  readonly keepAliveTimeout: number;
  /** a request must be complete after this time; ms, 0: no limit, where its handler sets one */
  readonly requestTimeout: number;
  /** whether the handlers answer `Expect`: a body that is refused for its head is then never sent */
  readonly answersExpect: boolean;
  /** absent: the port takes plain HTTP only */
  readonly tls?: TlsRules;
}

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** The server below all ports: it bounds what their connections hold. */
export function createHttpServer(settings: HttpServerSettings, handle: Handle): Server {
  const { connections: rules, headersTimeout, keepAliveTimeout, requestTimeout } = settings;
  const server = createServer(
    {
      maxHeaderSize: rules.largestHead,
      headersTimeout,
      connectionsCheckingInterval: Math.min(HEAD_CHECK_INTERVAL, headersTimeout),
      requestTimeout,
      keepAliveTimeout,
    },
    (request, response) => handleAdmitted(request, response),
  );
  const connections = new Connections(server, rules, answerBrokenHead);
  if (settings.tls !== undefined) takeTlsAndPlain(server, settings.tls, (tcp) => connections.allowHead(tcp));
  const handleAdmitted: Handle = (request, response) => {
    if (connections.admit(request, response)) handle(request, response);
  };
  // What else a client may expect is ignored, as RFC 9110 (10.1.1) allows; Node's own 417 has no body.
  if (settings.answersExpect)
    server.on('checkContinue', handleAdmitted).on('checkExpectation', handleAdmitted);
  return server;
}
