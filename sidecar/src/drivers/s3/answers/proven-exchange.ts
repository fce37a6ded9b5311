import type { HttpAgents } from '../../object-store/transport/http-agents.ts';
import {
  exchange,
  type TransportAnswer,
  type TransportOptions,
  type TransportRequest,
} from '../../object-store/transport/http-transport.ts';

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
    if (!Buffer.isBuffer(answer.body)) answer.body.destroy();
    throw error;
  }
}
