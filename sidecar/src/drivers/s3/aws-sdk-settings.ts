import { createHash, getFips } from 'node:crypto';
import { Readable } from 'node:stream';
import { exchange } from '../../http-client/exchange.ts';
import type { HttpAgents } from '../../http-client/http-agents.ts';
import type {
  AnswerBody,
  TransportAnswer,
  TransportOptions,
  TransportRequest,
} from '../../http-client/transport.ts';
import type { Credentials } from './credentials/credentials-source.ts';
import type { S3Location } from './s3-client.ts';

/** Most services other than AWS take any region; those that take a single region take this. */
const REGION_ELSEWHERE = 'us-east-1';

/** The options of a call for the transport; the SDK hands them through. */
export interface CallOptions extends Omit<TransportOptions, 'signal'> {
  readonly noteHeaders?: (headers: Readonly<Record<string, string>>) => void;
  /** Gets the body of an answer that is streamed; the SDK gets none. */
  readonly takeBody?: (body: AnswerBody) => void;
  /** Throws for an answer that reports success and is not S3's. */
  readonly proof?: (answer: TransportAnswer) => void;
}

/** The SDK's configuration. */
export function configuration(
  { region, endpoint, forcePathStyle }: S3Location,
  credentials: () => Promise<Credentials>,
  agents: HttpAgents,
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
    requestHandler: requestHandler(agents),
  } as const;
}

/** @param always what holds for all requests */
export function requestHandler(agents: HttpAgents, always: TransportOptions = {}) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: TransportRequest & { query?: Query }, options: HandlerOptions = {}) => {
      const { abortSignal: signal, noteHeaders, takeBody, proof, ...forTransport } = options;
      const path = request.path + queryText(request.query ?? {});
      const response = await exchange(agents, { ...request, path }, { signal, ...forTransport, ...always });
      if (proof !== undefined && response.statusCode < 300) prove(response, proof);
      noteHeaders?.(response.headers);
      if (Buffer.isBuffer(response.body)) return { response };
      takeBody?.(response.body);
      return { response: { ...response, body: Readable.from([]) } };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  } as const;
}

function prove(answer: TransportAnswer, proof: (answer: TransportAnswer) => void): void {
  try {
    proof(answer);
  } catch (error) {
    if (!Buffer.isBuffer(answer.body)) void answer.body.close();
    throw error;
  }
}

type HandlerOptions = CallOptions & { readonly abortSignal?: AbortSignal };

type Query = Readonly<Record<string, string | readonly string[] | null>>;

/** The query, encoded as the SDK has signed it. */
function queryText(query: Query): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) =>
      each === null ? escaped(name) : `${escaped(name)}=${escaped(each)}`,
    ),
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

interface BuiltRequest {
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** A step of the SDK's that changes the headers of a request which is not signed yet. */
const changingHeaders =
  (change: (request: BuiltRequest) => void) =>
  <Arguments, Result>(next: (args: Arguments) => Promise<Result>) =>
  async (args: Arguments): Promise<Result> => {
    change((args as { request: BuiltRequest }).request);
    return await next(args);
  };

/**
 * The signature covers the body by its digest, which we know already; the SDK would hash a body in memory once more, and
 * leave one that streams unsigned.
 */
export const signKnownDigest = changingHeaders(({ headers }) => {
  const checksum = headers['x-amz-checksum-sha256'];
  if (checksum !== undefined)
    headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
});

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
