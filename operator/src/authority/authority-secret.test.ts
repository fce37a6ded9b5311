import { expect, test } from 'vitest';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { AuthorityDamagedError, authorityFields, ROTATE, readAuthorities } from './authority-secret.ts';
import type { AuthorityState } from './authority-state.ts';
import { readPair } from './read-certificate.ts';
import { makeAuthority, makeServerCertificate } from './x509.ts';

const lifetime = { notBefore: 0, notAfter: 1_000_000 };
const signing = (name: string) => {
  const pair = makeAuthority(name, lifetime);
  return { ...pair, facts: readPair(pair) };
};
const [one, two] = [signing('one'), signing('two')];
const leaf = makeServerCertificate(['a.example.com'], lifetime, one);

type Fields = Readonly<Record<string, string | null | undefined>>;

function secret(data: Fields, annotations: Fields = {}): KubernetesObject {
  const present = (fields: Fields) => Object.entries(fields).filter(([, text]) => typeof text === 'string');
  const encoded = present(data).map(([key, text]) => [key, Buffer.from(`${text}`).toString('base64')]);
  const metadata = { name: 'largepayload-ca', annotations: Object.fromEntries(present(annotations)) };
  return {
    ...{ apiVersion: 'v1', kind: 'Secret' },
    metadata: metadata as KubernetesObject['metadata'],
    data: Object.fromEntries(encoded),
  };
}

test.each<[string, AuthorityState]>([
  ['one authority', { current: one, since: 5_000 }],
  ['a planned rotation', { current: one, next: two, since: 5_000, cause: 'Planned' }],
  ['a rotation by hand', { current: two, previous: one.facts, since: 5_000, cause: 'ByHand', answered: 'x' }],
])('%s is read from the Secret as it was written', (_what, state) => {
  const { data, annotations } = authorityFields(state);
  expect(readAuthorities(secret(data, annotations))).toEqual(state);
});

test('a request is read from its annotation, and a time or cause that is nonsense counts as none', () => {
  const data = { 'ca.crt': one.certificate, 'ca.key': one.key };
  const annotations = {
    [ROTATE]: 'now',
    'largepayload.dev/since': 'soon',
    'largepayload.dev/rotation': 'Wild',
  };
  expect(readAuthorities(secret(data, annotations))).toEqual({
    current: one,
    since: undefined,
    requested: 'now',
  });
});

const whole = { 'ca.crt': one.certificate, 'ca.key': one.key };

test.each<[string, Fields, string]>([
  ['is empty', {}, 'ca.crt is missing'],
  ['has no key', { 'ca.crt': one.certificate }, 'ca.key is missing'],
  ['has an empty key', { ...whole, 'ca.key': '' }, 'ca.key is missing'],
  [
    'has a truncated certificate',
    { ...whole, 'ca.crt': one.certificate.slice(0, 200) },
    'the certificate cannot be read',
  ],
  ['has a truncated key', { ...whole, 'ca.key': one.key.slice(0, 100) }, 'the private key cannot be read'],
  [
    'has the key of another',
    { ...whole, 'ca.key': two.key },
    'the private key belongs to another certificate',
  ],
  [
    'has the certificate of a server',
    { 'ca.crt': leaf.certificate, 'ca.key': leaf.key },
    'no certificate of an authority',
  ],
  ['has a next one without its key', { ...whole, 'next.crt': two.certificate }, 'next.key is missing'],
  [
    'has a previous one that is nonsense',
    { ...whole, 'previous.crt': 'x' },
    'previous.crt: the certificate cannot be read',
  ],
])('a Secret that %s is damaged, by a message that has nothing of a key', (_what, data, message) => {
  let failure: unknown;
  try {
    readAuthorities(secret(data));
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(AuthorityDamagedError);
  const text = (failure as Error).message;
  expect(text).toContain(message);
  for (const line of `${one.key}${two.key}`.split('\n').filter((each) => /^[^-]/.test(each)))
    expect(text).not.toContain(line);
});
