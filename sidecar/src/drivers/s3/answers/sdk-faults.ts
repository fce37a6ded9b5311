import { BAD_ANSWER } from '../../object-store/failures.ts';
import { CredentialsError } from '../credentials/credentials-source.ts';
import type { S3Fault } from '../s3-client.ts';

/** Our own codes for failures before a request is sent. */
export const NO_REGION = 'NoRegion';
export const BAD_LOCATION = 'BadLocation';

/** Of what a service says of a failure: characters of each text. */
const LONGEST_TEXT = 1_000;

interface SdkError extends Error {
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly Region?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: {
    readonly statusCode?: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
}

/** See `S3Client.faultOf`. */
export function faultOf(thrown: unknown): S3Fault | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if (thrown instanceof CredentialsError) return thrown.fault;
  const error = thrown as SdkError;
  const status = error.$response?.statusCode ?? error.$metadata?.httpStatusCode;
  const code = status === undefined ? codeWithoutAnswer(error) : codeOfAnswer(error, status);
  if (code === undefined) return undefined;
  const headers = error.$response?.headers ?? {};
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return {
    status,
    code,
    message: error.message === 'UnknownError' ? '' : error.message.slice(0, LONGEST_TEXT),
    retryAfterMs: Number.isFinite(seconds) ? Math.max(0, seconds) * 1_000 : undefined,
    region: textOf(headers['x-amz-bucket-region'] ?? error.Region),
  };
}

/** An answer to HEAD has no body, so it has no code. */
function codeOfAnswer(error: SdkError, status: number): string {
  const code = textOf(error.Code) ?? error.name;
  if (isOfProxy(error, status)) return BAD_ANSWER;
  if (status < 300 || code === 'SyntaxError' || code === 'Error') return BAD_ANSWER;
  return code === 'Unknown' || code === 'UnknownError' ? '' : code;
}

/** S3 sends neither pages nor redirects to pages. A proxy that is too busy sends a page too, and may be asked again later. */
function isOfProxy({ $response }: SdkError, status: number): boolean {
  if (status === 429 || status >= 500) return false;
  return status === 302 || status === 303 || isPage($response?.headers ?? {});
}

/** Moto marks all its answers as HTML, but they have the headers of S3, as those of all services do. */
export function isPage(headers: Readonly<Record<string, string>>): boolean {
  const isOfS3 = Object.keys(headers).some((header) => header.startsWith('x-amz'));
  return !isOfS3 && /^(text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '');
}

function codeWithoutAnswer(error: SdkError): string | undefined {
  if (error.message === 'Region is missing') return NO_REGION;
  if (error.name === 'EndpointError' || error.name === 'InvalidBucketName') return BAD_LOCATION;
  if (error.code === 'ERR_INVALID_URL') return BAD_LOCATION;
  return textOf(error.code);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : undefined;
}
