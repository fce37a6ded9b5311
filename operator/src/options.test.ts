import { expect, test } from 'vitest';
import { makeAuthority } from './authority/x509.ts';
import { OptionsError, parseOptions } from './options.ts';

const REQUIRED = ['--image=x', '--namespace=operators'];
const { certificate, key } = makeAuthority('internal', { notBefore: 0, notAfter: 1_000 });

test('the operator makes certificates itself unless an issuer is named', () => {
  expect(parseOptions(REQUIRED).certManager).toBeUndefined();
});

test.each<[string, string[], object]>([
  [
    'ClusterIssuer/internal',
    [certificate],
    { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'internal' },
  ],
  [
    'StepIssuer/a.b/certmanager.step.sm',
    ['text\n', certificate],
    { group: 'certmanager.step.sm', kind: 'StepIssuer', name: 'a.b' },
  ],
])('the issuer %s is read, and of the bundle its certificates only', (issuer, bundle, expected) => {
  const options = parseOptions([
    ...REQUIRED,
    `--certificate-issuer=${issuer}`,
    `--ca-bundle=${bundle.join('')}`,
  ]);
  expect(options.certManager).toEqual({ issuer: expected, bundle: certificate });
});

test.each<[string, string[], string]>([
  ['an issuer without a bundle', ['--certificate-issuer=Issuer/internal'], '--ca-bundle PEM is required'],
  [
    'a bundle without an issuer',
    [`--ca-bundle=${certificate}`],
    '--certificate-issuer KIND/NAME[/GROUP] is required',
  ],
  [
    'an issuer without a kind',
    ['--certificate-issuer=internal', `--ca-bundle=${certificate}`],
    'write KIND/NAME',
  ],
  [
    'a bundle that is a path',
    ['--certificate-issuer=Issuer/x', '--ca-bundle=/ca.pem'],
    'write certificates as PEM',
  ],
  [
    'a bundle that is a key',
    ['--certificate-issuer=Issuer/x', `--ca-bundle=${key}`],
    'it has no certificate',
  ],
  [
    'a bundle that is truncated',
    ['--certificate-issuer=Issuer/x', `--ca-bundle=${certificate.slice(0, 300)}\n-----END CERTIFICATE-----`],
    'write certificates as PEM',
  ],
])('%s is refused with a message that says what to write', (_what, args, message) => {
  const parse = () => parseOptions([...REQUIRED, ...args]);
  expect(parse).toThrow(OptionsError);
  expect(parse).toThrow(message);
});

test('nothing is injected unless a mode is named', () => {
  expect(parseOptions([...REQUIRED, '--evict-missed=All']).injection).toBeUndefined();
});

test('a mode of injection refuses pods on failure, runs as a plain user, evicts no pod, and serves its webhook on 9443', () => {
  expect(parseOptions([...REQUIRED, '--injection=Webhook']).injection).toEqual({
    ...{ mode: 'Webhook', failurePolicy: 'Fail', runAsUser: 65_532, evictMissed: 'Never' },
    webhook: { listen: { host: undefined, port: 9443 }, name: 'large-payload-operator' },
  });
});

test('every option of injection is taken', () => {
  const options = parseOptions([
    ...[...REQUIRED, '--injection=Policy', '--injection-failure-policy=Ignore', '--evict-missed=All'],
    ...['--injection-run-as-user=none', '--webhook-listen=127.0.0.1:0', '--webhook-name=lpo'],
  ]);
  expect(options.injection).toEqual({
    ...{ mode: 'Policy', failurePolicy: 'Ignore', runAsUser: undefined, evictMissed: 'All' },
    webhook: { listen: { host: '127.0.0.1', port: 0 }, name: 'lpo' },
  });
});

test.each([
  ['--injection=Auto', 'write one of Webhook, Policy'],
  ['--injection-failure-policy=fail', 'write one of Fail, Ignore'],
  ['--injection-run-as-user=0', 'write a number from 1'],
  ['--injection-run-as-user=', 'write a number from 1'],
  ['--injection-run-as-user=2147483648', 'write a number from 1'],
  ['--evict-missed=Always', 'write one of Never, CreatedAfterLabel, All'],
  ['--webhook-listen=9443', '--webhook-listen 9443: write HOST:PORT'],
  ['--webhook-name=a.b', 'write the name of a Service'],
])('%s is refused with a message that says what to write', (option, message) => {
  const parse = () => parseOptions([...REQUIRED, '--injection=Webhook', option]);
  expect(parse).toThrow(OptionsError);
  expect(parse).toThrow(message);
});
