import { Agent } from 'node:http';
import type { ByteSource } from '../bytes/byte-streams.ts';
import { exchangeDirectly } from './direct-exchange.ts';
import { isClosed } from './errors.ts';
import type { HttpAgents } from './http-agents.ts';
import { exchangeByNode } from './node-client/node-exchange.ts';
import type { TransportAnswer, TransportOptions, TransportRequest } from './transport.ts';

const EXPECTATION_FAILED = 417;
/** How long a service is not asked again after it closed the connection instead of answering the question. */
const NOT_ASKED_FOR_MS = 60_000;

/**
 * Makes one request, or two: a service that refuses `Expect: 100-continue` gets the request again without it (RFC 9110,
 * 10.1.1), and all later requests too. Nothing of the body has left its source by then. A service that closes the connection
 * instead is not asked for a minute, as it may have closed an idle connection; the caller that retries still has the body.
 */
export async function exchange(
  agents: HttpAgents,
  request: TransportRequest,
  options: TransportOptions,
): Promise<TransportAnswer> {
  const endpoint = `${request.hostname}:${request.port ?? request.protocol}`;
  const { withoutExpect } = agents;
  const withoutQuestion = { ...options, askFirst: false };
  if (options.askFirst !== true || performance.now() < (withoutExpect.get(endpoint) ?? 0))
    return await exchangeOnce(agents, request, withoutQuestion);
  let begun = false;
  const source = request.body as ByteSource;
  const body: ByteSource = {
    readInto: (sink) => {
      begun = true;
      return source.readInto(sink);
    },
  };
  const headers = { ...request.headers, Expect: '100-continue' };
  const answer = await exchangeOnce(agents, { ...request, headers, body }, options).catch((error) => {
    if (!begun && isClosed(error)) withoutExpect.set(endpoint, performance.now() + NOT_ASKED_FOR_MS);
    throw error;
  });
  if (answer.statusCode !== EXPECTATION_FAILED) return answer;
  withoutExpect.set(endpoint, Number.POSITIVE_INFINITY);
  return begun ? answer : await exchangeOnce(agents, request, withoutQuestion);
}

async function exchangeOnce(
  agents: HttpAgents,
  request: TransportRequest,
  options: TransportOptions,
): Promise<TransportAnswer> {
  const { protocol, hostname, port } = request;
  const route = agents.routeTo(protocol === 'https:', hostname, port, options.byNode);
  if (route instanceof Agent) return await exchangeByNode(route, agents.limits, request, options);
  return await exchangeDirectly(route, request, options);
}
