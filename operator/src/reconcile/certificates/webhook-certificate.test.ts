import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { refusal, runningWith, ScriptedSource, WELL, withNames } from './certificate-controller.fixture.ts';
import type { WebhookCertificate } from './certificate-controller.ts';

const ofWebhook = (publish: WebhookCertificate['publish']) => {
  const listeners: (() => void)[] = [];
  const request = {
    namespace: 'operators',
    secret: 'webhook',
    names: ['a', 'b', 'c'],
    leftOut: 0,
    keepsNames: false,
  };
  const onChange = (listener: () => void) => void listeners.push(listener);
  return { webhook: { request, publish, onChange }, edited: () => listeners.map((listener) => listener()) };
};

test('the certificate of the webhook is made only after the API server trusts its authority', async () => {
  const source = new ScriptedSource();
  let failure: Error | undefined = refusal(403, 'patch is forbidden');
  const published: string[] = [];
  const { webhook, edited } = ofWebhook(async (bundle) => {
    published.push(bundle);
    if (failure !== undefined) throw failure;
  });
  const { metrics } = runningWith(source, webhook);
  await eventually('it is tried again', () => published.length > 1);
  expect(source.requests).toEqual([]);
  expect(await metrics.registry.metrics()).toContain(
    'large_payload_operator_certificates{healthy="false"} 1\n',
  );
  failure = undefined;
  await eventually('it is made', () => source.requests.length > 0);
  expect(source.requests).toEqual([webhook.request]);
  expect(new Set(published)).toEqual(new Set(['PEM']));
  const count = published.length;
  edited();
  await eventually('an edit is looked at', () => published.length > count);
});

test('an authority counts as replaced only when the webhook has a certificate of the next one too', async () => {
  const source = new ScriptedSource();
  let looks = 0;
  source.onLook = () => {
    looks += 1;
    return looks < 20;
  };
  let isReplaced = false;
  source.onSettle = ({ secret }) =>
    secret === undefined || isReplaced ? WELL : { ...WELL, authority: 'before' };
  const { webhook, edited } = ofWebhook(async () => {});
  runningWith(source, webhook, withNames('orders', 'one'));
  await eventually('both are settled', () => source.requests.length > 1);
  await eventually('it was asked', () => source.replacedAt.length > 3);
  expect(new Set(source.replacedAt)).toEqual(new Set([undefined]));
  isReplaced = true;
  edited();
  await eventually('it is replaced', () => source.replacedAt.at(-1) === WELL.issuedAt);
});
