import type { Environment } from '../../../http-client/proxies/proxy-choice.ts';
import type { Fault } from '../../object-store/failures.ts';
import type { AskedServer } from './request-watch.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/** The source that was asked for credentials. */
export interface CredentialsSource {
  /** `folder`: of `--credentials-dir`. `configuration`: no source was asked, because the configuration is missing or wrong */
  readonly kind:
    | 'folder'
    | 'tokenFile'
    | 'process'
    | 'sts'
    | 'podIdentity'
    | 'container'
    | 'metadata'
    | 'sso'
    | 'configuration';
  /** for messages; of a file its path */
  readonly name: string;
  /** the role that STS is asked for by a token, and the file that has it */
  readonly role?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** whether it gave credentials to this process before */
  readonly gaveBefore: boolean;
}

/**
 * Whether a credential can be that text. Key and token are sent in headers. A secret only signs, and some services take any
 * text for it, but a line break in it is always a mistake.
 * @param name of the variable or file
 */
export function isPossible(name: string, text: string): boolean {
  return name === 'AWS_SECRET_ACCESS_KEY' ? !/\p{Cc}/u.test(text) : /^[\x21-\x7e]*$/.test(text);
}

/** Code for a key or secret that has a character which none has. */
export const BAD_CHARACTER = 'BadCharacter';

export interface CredentialsFault extends Fault {
  readonly source: CredentialsSource;
}

/** A request failed because there were no credentials; the storage was not asked. */
export class CredentialsError extends Error {
  readonly fault: CredentialsFault;

  constructor(source: CredentialsSource, fault: Pick<Fault, 'status' | 'code' | 'message'>) {
    super(`no credentials from ${source.name}: ${fault.message}`);
    this.name = 'CredentialsError';
    this.fault = { ...fault, source };
  }
}

const POD_IDENTITY_HOSTS = ['169.254.170.23', '[fd00:ec2::23]'];

/** @param asked the server that the SDK asked last */
export function sourceOfServer(
  asked: AskedServer,
  environment: Environment,
  gaveBefore: boolean,
): CredentialsSource {
  const { hostname, host, pathname } = asked.url;
  const isContainer = isContainerService(asked.url, environment);
  if (isContainer && (POD_IDENTITY_HOSTS.includes(hostname) || mountsToken(environment)))
    return { kind: 'podIdentity', name: `the EKS Pod Identity agent (${host})`, gaveBefore };
  if (isContainer)
    return { kind: 'container', name: `the container's credentials service (${host})`, gaveBefore };
  if (pathname.startsWith('/latest/'))
    return { kind: 'metadata', name: `the instance metadata service (${host})`, gaveBefore };
  if (pathname === '/federation/credentials' || pathname === '/token')
    return { kind: 'sso', name: `SSO (${host})`, gaveBefore };
  const { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile } = environment;
  return { kind: 'sts', name: `STS (${host})`, role, tokenFile, gaveBefore };
}

export function isContainerService({ hostname, pathname }: URL, environment: Environment): boolean {
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: full, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative } =
    environment;
  const uri = relative ? `http://169.254.170.2${relative}` : full;
  const configured = uri ? URL.parse(uri) : null;
  return configured !== null && configured.hostname === hostname && configured.pathname === pathname;
}

function mountsToken({ AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file }: Environment): boolean {
  return file !== undefined && file !== '';
}
