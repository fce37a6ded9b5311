import { basename } from 'node:path';
import { BAD_ANSWER } from '../../../http-client/errors.ts';
import { asksForFewer } from '../../object-store/common-failures.ts';
import { codes, type FailureRow, inBrackets, never, slower, soon } from '../../object-store/failures.ts';
import { BAD_CHARACTER, type CredentialsFault, type CredentialsSource } from './credentials-source.ts';

const WAYS = 'give them by --credentials-dir, by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a role';

const from =
  (...kinds: CredentialsSource['kind'][]) =>
  ({ source }: CredentialsFault) =>
    kinds.includes(source.kind);
const isServer = from('sts', 'podIdentity', 'container', 'metadata', 'sso');
const noAnswer = (fault: CredentialsFault) =>
  isServer(fault) && fault.status === undefined && fault.code !== BAD_ANSWER;
const said = ({ status, code, message }: CredentialsFault) =>
  inBrackets(code === '' && status !== undefined ? String(status) : code, message);

/** A message about the source, which failed before the storage was asked for anything. */
type Message = (source: CredentialsSource, fault: CredentialsFault) => string;
const cannotGet = (message: Message) => (fault: CredentialsFault) =>
  `cannot get credentials: ${message(fault.source, fault)}`;
const refused = (message: Message) => ({
  ...never('denied'),
  message: cannotGet(message),
  reason: (fault: CredentialsFault) =>
    ({ name: 'CredentialsRefused', explanation: message(fault.source, fault) }) as const,
});

/** The source of the credentials, its answer, and what to do. The storage's own refusals are in `s3/failures.ts`. */
export const CREDENTIALS_FAILURES: readonly FailureRow<CredentialsFault>[] = [
  {
    when: (fault) => from('folder')(fault) || codes(BAD_CHARACTER)(fault),
    ...never('denied'),
    reason: ({ code, source }) =>
      code === 'ENOENT' ? { name: 'CredentialsFileMissing', key: basename(source.name) } : undefined,
    message: ({ message }) => `no credentials: ${message}; ${WAYS}`,
  },
  {
    when: from('tokenFile'),
    ...refused(
      ({ name }, { message }) =>
        `the token file ${name} cannot be read${inBrackets(message)}; where a cluster mounts it, see that the service account has its role, and make the pod anew`,
    ),
  },
  {
    when: from('process'),
    ...refused(() => 'the credential_process of the profile failed; run it by hand to see why'),
  },
  {
    // The SDK asks the metadata service last, when nothing else is configured; on most machines there is none.
    when: (fault) => from('metadata')(fault) && noAnswer(fault) && fault.source.gaveBefore === false,
    ...never('denied'),
    message: (fault) =>
      `no credentials: none are configured, and ${fault.source.name} cannot be reached${said(fault)}; ${WAYS} (on EC2, a container reaches it only with a hop limit of 2)`,
  },
  {
    when: noAnswer,
    ...soon('unavailable'),
    message: cannotGet(
      ({ name }, fault) =>
        `${name} cannot be reached${said(fault)}; check network policies, DNS and the proxy on the way there (the storage was not asked)`,
    ),
  },
  {
    when: (fault) => isServer(fault) && asksForFewer(fault),
    ...slower('throttled'),
    message: cannotGet(({ name }, fault) => `${name} asks for fewer requests${said(fault)}`),
  },
  {
    when: (fault) => isServer(fault) && (fault.status ?? 0) >= 500,
    ...soon('unavailable'),
    message: cannotGet(({ name }, fault) => `${name} failed${said(fault)}; look there`),
  },
  {
    when: (fault) => isServer(fault) && codes(BAD_ANSWER)(fault),
    ...soon('unavailable'),
    message: cannotGet(
      ({ name }) => `what ${name} answered holds no credentials; look for a proxy on the way there`,
    ),
  },
  {
    when: (fault) => from('sts')(fault) && codes('ExpiredTokenException', 'ExpiredToken')(fault),
    ...refused(
      ({ name, tokenFile }, fault) =>
        `${name} says that the token has expired${said(fault)}; see to what renews ${tokenFile ?? 'it'}`,
    ),
  },
  {
    when: (fault) =>
      from('sts')(fault) &&
      codes(
        'InvalidIdentityToken',
        'InvalidIdentityTokenException',
        'IDPRejectedClaim',
        'IDPCommunicationError',
      )(fault),
    ...refused(
      ({ name, role, tokenFile }, fault) =>
        `${name} does not take the token${file(tokenFile)}${said(fault)}; check its audience (sts.amazonaws.com), and that the account of the role${named(role)} has an OIDC provider for who issued it`,
    ),
  },
  {
    when: from('sts'),
    ...refused(
      ({ name, role, tokenFile }, fault) =>
        `${name} does not give the role${named(role)}${said(fault)}; check that the role exists, and that its trust policy allows who asks${tokenFile === undefined ? '' : `, by subject and audience of the token file ${tokenFile}`}`,
    ),
  },
  {
    when: from('podIdentity'),
    ...refused(
      ({ name }, fault) =>
        `${name} refuses${said(fault)}; check the pod identity association of the service account, and that the role's trust policy allows pods.eks.amazonaws.com`,
    ),
  },
  {
    when: from('container'),
    ...refused(({ name }, fault) => `${name} refuses${said(fault)}; check the role of the task`),
  },
  {
    when: from('metadata'),
    ...refused(
      ({ name }, fault) =>
        `${name} gives none${said(fault)}; check that a role is attached to the instance, or give keys by --credentials-dir, or by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    ),
  },
  {
    when: from('sso'),
    ...refused(({ name }, fault) => `${name} refuses${said(fault)}; log in again by aws sso login`),
  },
  {
    when: () => true,
    ...never('denied'),
    message: ({ message }) => `no credentials${message === '' ? '' : `: ${message}`}; ${WAYS}`,
  },
];

function named(name: string | undefined): string {
  return name === undefined ? '' : ` ${name}`;
}

function file(name: string | undefined): string {
  return name === undefined ? '' : ` of the file ${name}`;
}
