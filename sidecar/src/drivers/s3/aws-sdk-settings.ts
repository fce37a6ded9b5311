import { createHash, getFips } from 'node:crypto';
import type { HttpAgents } from '../object-store/transport/http-agents.ts';
import type { TransportAnswer } from '../object-store/transport/http-transport.ts';
import { type CallOptions, provenExchange } from './answers/proven-exchange.ts';
import type { Credentials } from './credentials/credentials-source.ts';
import type { S3Location } from './s3-client.ts';
import type { SampleRequest } from './signing/request-template.ts';
import { encodedQuery } from './signing/uri-encoding.ts';

/** Most services other than AWS take any region; those that take a single region take this. */
const REGION_ELSEWHERE = 'us-east-1';

/** The SDK's configuration. */
export function configuration(
  { region, endpoint, forcePathStyle }: S3Location,
  credentials: () => Promise<Credentials>,
  handle: RequestHandler,
) {
  // The SDK would take an empty value for the name of a region, and not look further.
  if (process.env.AWS_REGION === '') delete process.env.AWS_REGION;
  const inEnvironment = process.env.AWS_REGION ?? (process.env.AWS_DEFAULT_REGION || undefined);
  const known = region ?? (endpoint === undefined ? undefined : (inEnvironment ?? REGION_ELSEWHERE));
  return {
    ...(known === undefined ? {} : { region: known }),
    ...(endpoint === undefined ? {} : { endpoint }),
    // We keep and renew the credentials: the SDK would fail with its source while they are still good.
    credentials: Object.assign(() => credentials(), { memoized: true }),
    forcePathStyle,
    // `StoreCalls` retries, and knows which body can be sent again; a second layer would multiply the attempts.
    maxAttempts: 1,
    // We know the digest of what we write, and hash what we read, so the SDK need not.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    customUserAgent: 'large-payload-store',
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      handle: async (request: SampleRequest, options: HandlerOptions = {}) => ({
        response: await handle(request, options),
      }),
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({}),
    },
  } as const;
}

/** What is below the SDK: gets a signed request, with the options of its call, and gives the answer. */
export type RequestHandler = (request: SampleRequest, options: HandlerOptions) => Promise<TransportAnswer>;

export interface HandlerOptions extends CallOptions {
  readonly abortSignal?: AbortSignal;
  /** Stands in for the service, at a client that sends nothing. */
  readonly answerOffline?: (request: SampleRequest) => TransportAnswer;
}

export const sendingBy =
  (agents: HttpAgents): RequestHandler =>
  async (request, { abortSignal: signal, ...options }) => {
    const query = encodedQuery(request.query ?? {});
    const path = query === '' ? request.path : `${request.path}?${query}`;
    return await provenExchange(agents, { ...request, path }, { signal, ...options });
  };

/** A client by this one sends nothing: it only shows its requests, and reads answers. */
export const sendingNothing: RequestHandler = async (request, { answerOffline }) => {
  if (answerOffline === undefined) throw NOT_SENT;
  return answerOffline(request);
};

export const NOT_SENT = new Error('a request that was not to be sent');

interface BuiltRequest {
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** A step of the SDK's that changes the headers of a request which is not signed yet. */
export const changingHeaders =
  (change: (request: BuiltRequest) => void) =>
  <Arguments, Result>(next: (args: Arguments) => Promise<Result>) =>
  async (args: Arguments): Promise<Result> => {
    change((args as { request: BuiltRequest }).request);
    return await next(args);
  };

/**
 * Every service takes Content-MD5 for a request that needs a checksum. The SDK sends `x-amz-checksum-crc32` in its place,
 * and some services refuse a request with that header.
 */
export const sendContentMd5 = changingHeaders(({ headers, body = '' }) => {
  // In FIPS 140 mode there is no MD5.
  if (getFips() === 1) return;
  for (const name of Object.keys(headers)) {
    if (/^x-amz-(sdk-checksum-algorithm|checksum-.*)$/i.test(name)) delete headers[name];
  }
  headers['content-md5'] = createHash('md5').update(body).digest('base64');
});
