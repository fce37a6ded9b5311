import { exchange } from '../../../http-client/exchange.ts';
import type { HttpAgents } from '../../../http-client/http-agents.ts';
import type { TransportAnswer, TransportOptions, TransportRequest } from '../../../http-client/transport.ts';

export interface CallOptions extends Omit<TransportOptions, 'signal'> {
  /** Throws for an answer that reports success and is not S3's. */
  readonly proof?: (answer: TransportAnswer) => void;
}

/** One request, whose answer is a refusal or passes the proof. */
export async function provenExchange(
  agents: HttpAgents,
  request: TransportRequest,
  { proof, ...options }: CallOptions & TransportOptions,
): Promise<TransportAnswer> {
  const answer = await exchange(agents, request, options);
  if (proof === undefined || answer.statusCode >= 300) return answer;
  try {
    proof(answer);
    return answer;
  } catch (error) {
    if (!Buffer.isBuffer(answer.body)) void answer.body.close();
    throw error;
  }
}
