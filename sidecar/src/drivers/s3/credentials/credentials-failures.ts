import { basename } from 'node:path';
import { asksForFewer, codes, type FailureRow, inBrackets } from '../../object-store/failures.ts';
import { BAD_ANSWER, BAD_CHARACTER } from '../answers/sdk-faults.ts';
import type { Fault } from '../s3-client.ts';
import type { CredentialsSource } from './credentials-source.ts';

const WAYS = 'give them by --credentials-dir, by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a role';

const from =
  (...kinds: CredentialsSource['kind'][]) =>
  ({ source }: Fault) =>
    source !== undefined && kinds.includes(source.kind);
const isServer = from('sts', 'podIdentity', 'container', 'metadata', 'sso');
const noAnswer = (fault: Fault) => isServer(fault) && fault.status === undefined && fault.code !== BAD_ANSWER;
const said = ({ status, code, message }: Fault) =>
  inBrackets(code === '' && status !== undefined ? String(status) : code, message);

/** Why a source gave no credentials, and what to do. The storage was not asked for anything then. */
type Explain = (source: CredentialsSource, fault: Fault) => string;
const told = (explain: Explain) => (fault: Fault) =>
  `cannot get credentials: ${explain(fault.source as CredentialsSource, fault)}`;

function refusal(when: FailureRow['when'], explain: Explain): FailureRow {
  return {
    ...{ when, failure: 'denied', retry: 'never', words: told(explain) },
    reason: (fault) => ({
      name: 'CredentialsRefused',
      explanation: explain(fault.source as CredentialsSource, fault),
    }),
  };
}

/** Who was asked for credentials, what it said, and what to do. The storage's own refusals are in `failures.ts`. */
export const CREDENTIALS_TABLE: readonly FailureRow[] = [
  {
    when: (fault) => from('folder')(fault) || codes(BAD_CHARACTER)(fault),
    failure: 'denied',
    retry: 'never',
    reason: ({ code, source }) =>
      code === 'ENOENT' && source !== undefined
        ? { name: 'CredentialsFileMissing', key: basename(source.name) }
        : undefined,
    words: ({ message }) => `no credentials: ${message}; ${WAYS}`,
  },
  refusal(
    from('tokenFile'),
    ({ name }, { message }) =>
      `the token file ${name} cannot be read${inBrackets(message)}; where a cluster mounts it, see that the service account has its role, and make the pod anew`,
  ),
  refusal(from('process'), () => 'the credential_process of the profile failed; run it by hand to see why'),
  {
    // Asked last, where nothing else is configured: mostly there is none.
    when: (fault) => from('metadata')(fault) && noAnswer(fault) && fault.source?.gaveBefore === false,
    failure: 'denied',
    retry: 'never',
    words: (fault) =>
      `no credentials: none are configured, and ${fault.source?.name} cannot be reached${said(fault)}; ${WAYS} (on EC2, a container reaches it only with a hop limit of 2)`,
  },
  {
    when: noAnswer,
    failure: 'unavailable',
    retry: 'soon',
    words: told(
      ({ name }, fault) =>
        `${name} cannot be reached${said(fault)}; check network policies, DNS and the proxy on the way there (the storage was not asked)`,
    ),
  },
  {
    when: (fault) => isServer(fault) && asksForFewer(fault),
    failure: 'throttled',
    retry: 'slower',
    words: told(({ name }, fault) => `${name} asks for fewer requests${said(fault)}`),
  },
  {
    when: (fault) => isServer(fault) && (fault.status ?? 0) >= 500,
    failure: 'unavailable',
    retry: 'soon',
    words: told(({ name }, fault) => `${name} failed${said(fault)}; look there`),
  },
  {
    when: (fault) => isServer(fault) && codes(BAD_ANSWER)(fault),
    failure: 'unavailable',
    retry: 'soon',
    words: told(
      ({ name }) => `what ${name} answered holds no credentials; look for a proxy on the way there`,
    ),
  },
  refusal(
    (fault) => from('sts')(fault) && codes('ExpiredTokenException', 'ExpiredToken')(fault),
    ({ name, tokenFile }, fault) =>
      `${name} says that the token has expired${said(fault)}; see to what renews ${tokenFile ?? 'it'}`,
  ),
  refusal(
    (fault) =>
      from('sts')(fault) &&
      codes(
        'InvalidIdentityToken',
        'InvalidIdentityTokenException',
        'IDPRejectedClaim',
        'IDPCommunicationError',
      )(fault),
    ({ name, role, tokenFile }, fault) =>
      `${name} does not take the token${file(tokenFile)}${said(fault)}; check its audience (sts.amazonaws.com), and that the account of the role${named(role)} has an OIDC provider for who issued it`,
  ),
  refusal(
    from('sts'),
    ({ name, role, tokenFile }, fault) =>
      `${name} does not give the role${named(role)}${said(fault)}; check that the role exists, and that its trust policy allows who asks${tokenFile === undefined ? '' : `, by subject and audience of the token file ${tokenFile}`}`,
  ),
  refusal(
    from('podIdentity'),
    ({ name }, fault) =>
      `${name} refuses${said(fault)}; check the pod identity association of the service account, and that the role's trust policy allows pods.eks.amazonaws.com`,
  ),
  refusal(
    from('container'),
    ({ name }, fault) => `${name} refuses${said(fault)}; check the role of the task`,
  ),
  refusal(
    from('metadata'),
    ({ name }, fault) =>
      `${name} gives none${said(fault)}; check that a role is attached to the instance, or give keys by --credentials-dir, or by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
  ),
  refusal(from('sso'), ({ name }, fault) => `${name} refuses${said(fault)}; log in again by aws sso login`),
  {
    when: () => true,
    failure: 'denied',
    retry: 'never',
    words: ({ message }) => `no credentials${message === '' ? '' : `: ${message}`}; ${WAYS}`,
  },
];

function named(name: string | undefined): string {
  return name === undefined ? '' : ` ${name}`;
}

function file(name: string | undefined): string {
  return name === undefined ? '' : ` of the file ${name}`;
}
