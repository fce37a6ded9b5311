import { expect, test } from 'vitest';
import { podOf, reviewOf } from './admission.fixture.ts';
import { answerReview, readReview } from './admission-review.ts';
import { parseModest } from './modest-json.ts';
import { Refusal } from './refusal.ts';

const OPERATION = { op: 'add', path: '/spec/x', value: 1 } as const;
const UNTOUCHED = { patch: [], warnings: [] };

test('of a review about a new pod, its uid, the namespace of the request and the pod are read', () => {
  const object = { ...podOf(), metadata: { namespace: 'another' }, unknown: { field: 1 } };
  expect(readReview(reviewOf(object, { dryRun: true, unknown: [] }))).toEqual({
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    pod: { namespace: 'billing', object },
  });
});

test.each([
  ['an update', { operation: 'UPDATE' }],
  ['a deletion, which has no object', { operation: 'DELETE', object: null }],
  ['another kind', { resource: { group: 'apps', version: 'v1', resource: 'deployments' } }],
  ['pods of another group', { resource: { group: 'metrics.k8s.io', version: 'v1', resource: 'pods' } }],
  ['pods of another version', { resource: { group: '', version: 'v2', resource: 'pods' } }],
  ['a part of a pod', { subResource: 'ephemeralcontainers' }],
  ['an operation of a wrong type', { operation: ['CREATE'] }],
  ['no resource', { resource: undefined }],
])('%s is no new pod, and is admitted as it is', (_what, more) => {
  expect(readReview(reviewOf(podOf(), more)).pod).toBeUndefined();
});

test.each<[string, unknown, string]>([
  ['nothing', null, 'is no AdmissionReview of admission.k8s.io/v1'],
  ['a list', [], 'is no AdmissionReview'],
  ['a text', 'AdmissionReview', 'is no AdmissionReview'],
  ['another kind', { ...reviewOf(podOf()), kind: 'Pod' }, 'is no AdmissionReview'],
  [
    'an old version',
    { ...reviewOf(podOf()), apiVersion: 'admission.k8s.io/v1beta1' },
    'set admissionReviewVersions: [v1]',
  ],
  ['no request', { ...reviewOf(podOf()), request: undefined }, 'request.uid'],
  ['a request of a wrong type', { ...reviewOf(podOf()), request: [1] }, 'request.uid'],
  ['no uid', reviewOf(podOf(), { uid: '' }), 'request.uid'],
  ['a uid of a wrong type', reviewOf(podOf(), { uid: {} }), 'request.uid'],
  ['a long uid', reviewOf(podOf(), { uid: 'x'.repeat(201) }), 'at most 200 characters'],
  ['a pod of a wrong type', reviewOf([]), 'request.object a pod'],
  ['no pod', reviewOf(podOf(), { object: null }), 'request.object a pod'],
  ['no namespace', reviewOf(podOf(), { namespace: undefined }), 'request.namespace is to be a text'],
])('a review with %s is refused with a message that says what is wrong', (_what, review, message) => {
  expect(() => readReview(review)).toThrow(Refusal);
  expect(() => readReview(review)).toThrow(message);
});

test('an answer allows the pod, and has a patch and warnings only where there are any', () => {
  const { response } = answerReview('u', UNTOUCHED) as { response: object };
  expect(response).toEqual({ uid: 'u', allowed: true });
  const full = answerReview('u', { patch: [OPERATION], warnings: ['take care'] });
  expect(full).toMatchObject({
    ...{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
    response: { uid: 'u', allowed: true, patchType: 'JSONPatch', warnings: ['take care'] },
  });
  const { patch } = (full as { response: { patch: string } }).response;
  expect(JSON.parse(Buffer.from(patch, 'base64').toString())).toEqual([OPERATION]);
});

test('a long warning becomes several of at most 120 characters, and loses none of its words', () => {
  const sentence = `${'some words about the store '.repeat(20)}end`;
  const warnings = [sentence, 'x'.repeat(130)];
  const { response } = answerReview('u', { ...UNTOUCHED, warnings }) as { response: { warnings: string[] } };
  expect(Math.max(...response.warnings.map(({ length }) => length))).toBeLessThanOrEqual(120);
  expect(response.warnings.join(' ')).toBe(`${sentence} ${'x'.repeat(120)} ${'x'.repeat(10)}`);
  const many = answerReview('u', { ...UNTOUCHED, warnings: Array(50).fill('again') });
  expect((many as { response: { warnings: string[] } }).response.warnings).toHaveLength(10);
});

const parse = (text: string) => () => parseModest(Buffer.from(text));

test('JSON with brackets and commas in its texts is parsed', () => {
  const value = { 'a"]}\\': '[[[,,,'.repeat(100_000), b: ['\\', '\\"', '\u00fc', 1.5, null, true] };
  expect(parseModest(Buffer.from(JSON.stringify(value)))).toEqual(value);
});

test.each([
  ['truncated', '{"kind": "Admission', 'the body is no JSON'],
  ['empty', '', 'the body is no JSON'],
  ['of form data', 'a=b', 'the body is no JSON'],
  ['deep and truncated', '['.repeat(8_000_000), 'more than 100 levels'],
  ['deep', `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`, 'more than 100 levels'],
  ['of many objects', `[${'{},'.repeat(2_000_000)}{}]`, 'more than 300000 values'],
  ['of many numbers', `[${'1,'.repeat(300_000)}1]`, 'more than 300000 values'],
])('a body that is %s is refused before it becomes values', (_what, text, message) => {
  expect(parse(text)).toThrow(Refusal);
  expect(parse(text)).toThrow(message);
});
