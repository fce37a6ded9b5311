import { connect } from 'node:tls';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { AUTHORITY, podOf, reviewOf, secretOf, webhookBed } from './admission.fixture.ts';

test.concurrent('a review is answered with the uid of the request, dry runs alike, and counted by its result', async () => {
  await using bed = await webhookBed(async ({ pod }) => ({
    ...{ result: 'injected', warnings: ['take care'] },
    patch: [{ op: 'add', path: '/spec/x', value: pod?.namespace }],
  }));
  await bed.ready();
  const plain = await bed.review(reviewOf(podOf()));
  expect(plain.answer.response).toMatchObject({
    uid: reviewOf(podOf()).request.uid,
    warnings: ['take care'],
  });
  expect(await bed.review(reviewOf(podOf(), { dryRun: true }))).toEqual(plain);
  const text = await bed.metrics.registry.metrics();
  expect(text).toContain('large_payload_operator_admissions_total{result="injected"} 2\n');
  expect(text).toContain('large_payload_operator_admission_duration_seconds_count 2\n');
});

const JSON_TYPE = { 'content-type': 'application/json' };
test.concurrent.each<[string, string, object, number, string]>([
  ['of another path', '{}', { path: '/mutate', headers: JSON_TYPE }, 404, 'there is only /inject'],
  ['of another method', '{}', { method: 'PUT', headers: JSON_TYPE }, 405, 'POST an AdmissionReview'],
  ['of another type', 'a=b', { headers: { 'content-type': 'text/plain' } }, 400, 'application/json'],
  ['without a type', '{}', { headers: {} }, 400, 'application/json'],
  ['that is truncated', '{"kind":', {}, 400, 'the body is no JSON'],
  ['of another kind', '{"kind":"Pod"}', {}, 400, 'is no AdmissionReview'],
  ['that is huge', ' '.repeat(8 * 1024 * 1024 + 1), {}, 413, 'more than 8388608 bytes'],
])('a request %s is refused with a message, and counted', async (_what, body, options, status, message) => {
  await using bed = await webhookBed();
  await bed.ready();
  // The client may see the end of the connection before the answer, while it still sends.
  const answer = await bed.ask(body, options).catch((error: NodeJS.ErrnoException) => error);
  if (answer instanceof Error)
    expect([status, answer.code]).toEqual([413, expect.stringMatching(/EPIPE|ECONNRESET/)]);
  else expect(answer).toMatchObject({ status, text: expect.stringContaining(message) });
  const refused = 'large_payload_operator_admissions_total{result="refused"} 1\n';
  await eventually('it is counted', async () => (await bed.metrics.registry.metrics()).includes(refused));
  expect((await bed.review(reviewOf(podOf()))).status).toBe(200);
});

test.concurrent('a mistake of the operator is a failure with a way out, and never an answer', async () => {
  await using bed = await webhookBed(() => Promise.reject(new TypeError('x is not a function')));
  await bed.ready();
  const { status, answer } = await bed.review(reviewOf(podOf()));
  expect(status).toBe(500);
  expect(answer).toContain('x is not a function');
  expect(answer).toContain('injection.failurePolicy=Ignore');
  expect(bed.lines).toContain('a pod in scope could not be decided about');
});

test.concurrent('without a certificate it is not ready and refuses handshakes, and one that appears is used', async () => {
  let secret: KubernetesObject | undefined;
  await using bed = await webhookBed(undefined, () => secret);
  await eventually('the cause is known', () => bed.webhook.missing?.includes('does not exist yet') === true);
  await expect(bed.review(reviewOf(podOf()))).rejects.toThrow();
  secret = secretOf({ ...AUTHORITY.issue(), key: AUTHORITY.issue().key });
  await eventually(
    'a key of another one is named',
    () => bed.webhook.missing?.includes('another certificate') === true,
  );
  secret = secretOf(AUTHORITY.issue());
  await bed.ready();
  expect((await bed.review(reviewOf(podOf()))).status).toBe(200);
});

test.concurrent('older TLS than 1.2 is refused', async () => {
  await using bed = await webhookBed();
  await bed.ready();
  const socket = connect({
    ...{ port: bed.webhook.port, host: '127.0.0.1', ca: testAuthority().certificate },
    ...{ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
  });
  const failure = await new Promise<Error>((resolve) => socket.on('error', resolve));
  expect(failure.message).toMatch(/protocol version|unsupported protocol/);
});

test.concurrent('at its end a request under way is answered, as the last of its connection', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isWaiting = false;
  await using bed = await webhookBed(async () => {
    isWaiting = true;
    await promise;
    return { result: 'unchanged', patch: [], warnings: [] };
  });
  await bed.ready();
  const answer = bed.review(reviewOf(podOf()));
  await eventually('it is under way', () => isWaiting);
  const ended = bed.end();
  await eventually('no more is taken', async () =>
    bed.ask('{}', { agent: false, ca: AUTHORITY.certificate }).then(
      () => false,
      () => true,
    ),
  );
  resolve();
  expect((await answer).status).toBe(200);
  await ended;
});
