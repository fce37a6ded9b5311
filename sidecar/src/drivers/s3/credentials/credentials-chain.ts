import { BAD_ANSWER, BAD_PROXY } from '../../../http-client/errors.ts';
import type { Fault } from '../../object-store/failures.ts';
import {
  BAD_CHARACTER,
  type Credentials,
  CredentialsError,
  type CredentialsSource,
  isContainerService,
  isPossible,
  sourceOfServer,
} from './credentials-source.ts';
import { type AskedServer, RequestWatch } from './request-watch.ts';

/** For all that the SDK tries until it has credentials. Longer than it waits for any single server. */
const LIMIT_MS = 8_000;

/** How the SDK finds credentials. */
export interface CredentialsChain {
  /** all places, in the SDK's order */
  readonly search: () => Promise<Credentials>;
  /** the container's service alone, so that its reason for refusing is known */
  readonly askContainer: () => Promise<Credentials>;
}

/**
 * Credentials from where the SDK finds them. A failure names the source that failed.
 * @throws CredentialsError; an error about the region or the proxy as it is
 */
export function credentialsFromChain(
  chain: CredentialsChain,
  limitMs = LIMIT_MS,
): () => Promise<Credentials> {
  let gaveBefore = false;
  return async () => {
    const watch = new RequestWatch();
    try {
      const credentials = await within(limitMs, watch, () => searched(chain, watch));
      assertPlain(credentials, gaveBefore);
      gaveBefore = true;
      return credentials;
    } catch (error) {
      throw markedFailure(error as SourceFailure, watch, gaveBefore);
    }
  };
}

/** After a refusal by the container's service the SDK asks another kind of service, and reports the failure of that. */
async function searched(chain: CredentialsChain, watch: RequestWatch): Promise<Credentials> {
  try {
    return await chain.search();
  } catch (error) {
    const asked = watch.last;
    if (asked?.status === undefined || !isContainerService(asked.url, process.env)) throw error;
    return await chain.askContainer();
  }
}

async function within<T>(limitMs: number, watch: RequestWatch, work: () => Promise<T>): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = Object.assign(new Error(`no credentials within ${limitMs / 1_000} seconds`), {
      code: 'ETIMEDOUT',
    });
    reject(reason);
    watch.end(reason);
  }, limitMs);
  try {
    return await Promise.race([watch.run(work), expired]);
  } finally {
    clearTimeout(timer);
  }
}

interface SourceFailure extends Error {
  readonly code?: unknown;
  readonly path?: unknown;
  readonly Code?: unknown;
  readonly Message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function markedFailure(error: SourceFailure, watch: RequestWatch, gaveBefore: boolean): Error {
  if (error instanceof CredentialsError || error.code === BAD_PROXY) return error;
  if (error.message === 'Region is missing') return error;
  if (typeof error.path === 'string' && error.code !== undefined) {
    const source = { kind: 'tokenFile', name: error.path, gaveBefore } as const;
    return new CredentialsError(source, { ...NOTHING, code: String(error.code), message: error.message });
  }
  if (watch.ranProgram) {
    return new CredentialsError({ kind: 'process', name: 'credential_process', gaveBefore }, NOTHING);
  }
  const asked = watch.last;
  if (asked === undefined) {
    const source: CredentialsSource = { kind: 'configuration', name: 'what is configured', gaveBefore };
    return new CredentialsError(source, { ...NOTHING, message: error.message });
  }
  return new CredentialsError(sourceOfServer(asked, process.env, gaveBefore), answerOf(error, asked));
}

const NOTHING = { status: undefined, code: '', message: '' };

/** For a server that did not answer, the SDK's message is about what it tried next, so that message is left out. */
function answerOf(error: SourceFailure, asked: AskedServer): Pick<Fault, 'status' | 'code' | 'message'> {
  const status = error.$metadata?.httpStatusCode ?? asked.status;
  if (status === undefined) return { status, code: asked.code || String(error.code ?? ''), message: '' };
  // The message of JSON.parse quotes the answer, which may hold a secret.
  if (status < 300) return { status, code: BAD_ANSWER, message: '' };
  const hasAnswer = error.$metadata?.httpStatusCode !== undefined;
  const code = error.Code ?? (hasAnswer ? error.name : '');
  const message = error.Message ?? (hasAnswer ? error.message : '');
  return { status, code: textOf(code), message: textOf(message) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Credentials become part of a header and of a signature. A line break in them comes from a mistake in writing them. */
function assertPlain(credentials: Credentials, gaveBefore: boolean): void {
  const all = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken ?? '',
  };
  for (const [variable, text] of Object.entries(all)) {
    if (isPossible(variable, text)) continue;
    const message = `${variable}, from the environment or who gives it, has a line break, a space or another character that no key has`;
    const source = { kind: 'configuration', name: variable, gaveBefore } as const;
    throw new CredentialsError(source, { ...NOTHING, code: BAD_CHARACTER, message });
  }
}
