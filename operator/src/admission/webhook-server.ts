import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Admission } from './admission.ts';
import { answerReview, readReview } from './admission-review.ts';
import { Connections } from './connections.ts';
import { parseModest } from './modest-json.ts';
import { Refusal } from './refusal.ts';
import { BodyBudget } from './request-body.ts';
import { ServedCertificate } from './served-certificate.ts';

export const WEBHOOK_PATH = '/inject';

/** `maxHeaderSize` in bytes, times in ms */
const LIMITS = {
  minVersion: 'TLSv1.2' as const,
  maxHeaderSize: 16 * 1024,
  // The API server gives up after 3 s.
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  // Longer than the 90 s after which the API server closes a connection: a request on one that closes would fail.
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 1_000,
};
/** Requests that came before this pod left the Service may still come: as long as gateways wait. */
const ENDING = { lameDuckMs: 5_000, limitMs: 5_000 };

export interface WebhookParts {
  readonly api: KubernetesApi;
  readonly admission: Pick<Admission, 'admit'>;
  /** of the operator */
  readonly namespace: string;
  readonly listen: { readonly host: string | undefined; readonly port: number };
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface RunningWebhook {
  readonly port: number;
  /** Why the replica is not ready, as a sentence; `undefined`: it is. */
  readonly missing: string | undefined;
  /** Looks after the certificate until the signal is aborted; then answers for a while, and ends. */
  run(signal: AbortSignal, ending?: Parameters<Connections['end']>[0]): Promise<void>;
}

/**
 * Answers AdmissionReviews of the API server by TLS.
 * @throws Error when it cannot listen there
 */
export async function serveWebhook(parts: WebhookParts): Promise<RunningWebhook> {
  const { api, namespace, listen, log } = parts;
  const budget = new BodyBudget();
  const server = createServer(LIMITS, (request, response) => answer(parts, budget, request, response));
  const certificate = new ServedCertificate({ api, namespace, server, log });
  const connections = new Connections(server);
  server.listen(listen.port, listen.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get missing() {
      return certificate.missing;
    },
    async run(signal, ending = ENDING) {
      await certificate.run(signal);
      await connections.end(ending);
    },
  };
}

async function answer(
  parts: WebhookParts,
  budget: BodyBudget,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { metrics, log } = parts;
  const began = performance.now();
  let result = 'failed';
  try {
    const answered = await budget.reading(request, (body) => review(parts, request, body));
    result = answered.result;
    send(response, 200, 'application/json', JSON.stringify(answered.content));
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.status < 500 || request.readableAborted) result = 'refused';
    // Of what any pod of the cluster may cause, nothing is logged.
    else if (refusal.status === 500) log.warn({ err: error }, 'a pod in scope could not be decided about');
    // What is left of the body is not read.
    response.shouldKeepAlive = false;
    send(response, refusal.status, 'text/plain; charset=utf-8', refusal.message);
  } finally {
    metrics.recordAdmission(result, (performance.now() - began) / 1_000);
  }
}

async function review({ admission }: WebhookParts, request: IncomingMessage, body: Buffer) {
  if (request.url?.split('?')[0] !== WEBHOOK_PATH) throw new Refusal(404, `there is only ${WEBHOOK_PATH}`);
  if (request.method !== 'POST') throw new Refusal(405, 'POST an AdmissionReview');
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(400, 'the Content-Type is to be application/json');
  const asked = readReview(parseModest(body));
  const decision = await admission.admit(asked, new AbortController().signal);
  return { result: decision.result, content: answerReview(asked.uid, decision) };
}

/** The API server shows the message, and does with the pod what `failurePolicy` says. It is never taken for a decision. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(
    500,
    `the operator failed: ${(error as Error).message}: its log says more. To make pods without a sidecar meanwhile, set injection.failurePolicy=Ignore in the chart, or the label largepayload.dev/inject: "false" on the pod`,
  );
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
