import { GROUP, textAt } from '@largepayload/crds';
import type { KubernetesObject } from '../kubernetes/api.ts';
import type { AuthorityState, SigningAuthority } from './authority-state.ts';
import { readCertificate, readPair } from './read-certificate.ts';
import { fieldOf } from './secret-data.ts';

/** In the operator's own namespace. */
export const AUTHORITY_SECRET = 'largepayload-ca';

/** A person writes any new text here to get another authority. */
export const ROTATE = `${GROUP}/rotate`;
const ROTATED = `${GROUP}/rotated`;
const CAUSE = `${GROUP}/rotation`;
const SINCE = `${GROUP}/since`;

/** The Secret cannot be used; the message says what is wrong with it, and has nothing of a key. */
export class AuthorityDamagedError extends Error {
  override readonly name = 'AuthorityDamagedError';
}

/** @throws AuthorityDamagedError */
export function readAuthorities(secret: KubernetesObject): AuthorityState {
  const annotation = (name: string) => textAt(secret.metadata, 'annotations', name);
  const since = Date.parse(annotation(SINCE) ?? '');
  const cause = annotation(CAUSE);
  const previous = fieldOf(secret, 'previous.crt');
  return {
    current: signingAuthority(secret, 'ca'),
    next: fieldOf(secret, 'next.crt') === undefined ? undefined : signingAuthority(secret, 'next'),
    previous:
      previous === undefined ? undefined : damagedUnless(() => readCertificate(previous), 'previous.crt'),
    since: Number.isNaN(since) ? undefined : since,
    cause: cause === 'Planned' || cause === 'ByHand' ? cause : undefined,
    requested: annotation(ROTATE),
    answered: annotation(ROTATED),
  };
}

/** What the Secret is to hold, in plain text; `null`: nothing under that name. */
export function authorityFields({ current, next, previous, ...facts }: AuthorityState) {
  return {
    data: {
      'ca.crt': current.certificate,
      'ca.key': current.key,
      'next.crt': next?.certificate ?? null,
      'next.key': next?.key ?? null,
      'previous.crt': previous?.pem ?? null,
    },
    annotations: {
      [SINCE]: new Date(facts.since ?? 0).toISOString(),
      [CAUSE]: facts.cause ?? null,
      [ROTATED]: facts.answered ?? null,
    },
  };
}

function signingAuthority(secret: KubernetesObject, name: 'ca' | 'next'): SigningAuthority {
  const part = (key: string) => {
    const text = fieldOf(secret, key);
    if (text === undefined) throw new AuthorityDamagedError(`${key} is missing`);
    return text;
  };
  const pair = { certificate: part(`${name}.crt`), key: part(`${name}.key`) };
  const facts = damagedUnless(() => readPair(pair), `${name}.crt and ${name}.key`);
  if (!facts.isAuthority) throw new AuthorityDamagedError(`${name}.crt is no certificate of an authority`);
  return { ...pair, facts };
}

function damagedUnless<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (cause) {
    throw new AuthorityDamagedError(`${what}: ${(cause as Error).message}`, { cause });
  }
}
