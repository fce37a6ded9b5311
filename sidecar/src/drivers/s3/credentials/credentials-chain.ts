import { BAD_ANSWER, BAD_PROXY, type Fault } from '../../object-store/failures.ts';
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

/** ms for all that the SDK tries until it has credentials; longer than it waits for any one server */
const LIMIT = 8_000;

/** How the SDK finds credentials. */
export interface CredentialsChain {
  /** all places, in the SDK's order */
  readonly search: () => Promise<Credentials>;
  /** the container's service alone, which tells what it says against it */
  readonly askContainer: () => Promise<Credentials>;
}

/**
 * Credentials from where the SDK finds them, its failures marked as those of the source.
 * @throws CredentialsError; an error about the region or the proxy as it is
 */
export function credentialsFromChain(chain: CredentialsChain, limit = LIMIT): () => Promise<Credentials> {
  let gaveBefore = false;
  return async () => {
    const watch = new RequestWatch();
    try {
      const credentials = await within(limit, watch, () => searched(chain, watch));
      assertPlain(credentials, gaveBefore);
      gaveBefore = true;
      return credentials;
    } catch (error) {
      throw markedFailure(error as SourceFailure, watch, gaveBefore);
    }
  };
}

/** The SDK goes on to another kind of service after a container's refuses, and tells that one's failure. */
async function searched(chain: CredentialsChain, watch: RequestWatch): Promise<Credentials> {
  try {
    return await chain.search();
  } catch (error) {
    const asked = watch.last;
    if (asked?.status === undefined || !isContainerService(asked.url, process.env)) throw error;
    return await chain.askContainer();
  }
}

async function within<T>(limit: number, watch: RequestWatch, work: () => Promise<T>): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = Object.assign(new Error(`no credentials within ${limit / 1_000} seconds`), {
      code: 'ETIMEDOUT',
    });
    reject(reason);
    watch.end(reason);
  }, limit);
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

/** The SDK's own words for a server that did not answer are about what it tried next. */
function answerOf(error: SourceFailure, asked: AskedServer): Pick<Fault, 'status' | 'code' | 'message'> {
  const status = error.$metadata?.httpStatusCode ?? asked.status;
  if (status === undefined) return { status, code: asked.code || String(error.code ?? ''), message: '' };
  // What JSON.parse says quotes the answer, which may hold a secret.
  if (status < 300) return { status, code: BAD_ANSWER, message: '' };
  const hasAnswer = error.$metadata?.httpStatusCode !== undefined;
  const code = error.Code ?? (hasAnswer ? error.name : '');
  const message = error.Message ?? (hasAnswer ? error.message : '');
  return { status, code: textOf(code), message: textOf(message) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** They become part of a header, and of a signature; a line break in them is a mistake in how they were written. */
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
