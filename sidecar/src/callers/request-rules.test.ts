import { expect, test } from 'vitest';
import { denialOfRequest, type Wish } from './request-rules.ts';

const some = new Set(['orders']);
const none = new Set<string>();
const wish = (changes: Partial<Wish>): Wish => ({
  ...{ access: 'read', namespace: 'orders', rights: { read: undefined, write: undefined } },
  ...{ caller: 'the service account payments/worker', served: undefined },
  ...changes,
});

test.each<[what: string, changes: Partial<Wish>]>([
  ['any namespace of a store that serves any', {}],
  ['a namespace that the store lists', { served: some }],
  ['a namespace that its entry lists', { rights: { read: some, write: some }, access: 'write' }],
  ['a reference of version 1 in a store without limits', { namespace: undefined }],
  ['a payload that it may only read', { rights: { read: undefined, write: none } }],
])('a caller gets %s', (_what, changes) => {
  expect(denialOfRequest(wish(changes))).toBeUndefined();
});

test.each<[what: string, changes: Partial<Wish>, code: string, message: RegExp]>([
  [
    'a namespace that the store does not serve',
    { namespace: 'billing', served: some },
    'namespace_denied',
    /does not serve the Temporal namespace billing; spec.temporalNamespaces/,
  ],
  [
    'it, also with an entry that lists it',
    { namespace: 'billing', served: some, rights: { read: new Set(['billing']), write: none } },
    'namespace_denied',
    /spec.temporalNamespaces/,
  ],
  [
    'a namespace that its entry does not list',
    { namespace: 'billing', rights: { read: some, write: some } },
    'namespace_denied',
    /payments\/worker may not get payloads of the Temporal namespace billing; add it to temporalNamespaces/,
  ],
  [
    'a put where it may only get',
    { access: 'write', rights: { read: undefined, write: none } },
    'caller_denied',
    /may get payloads and not put them; .* access: ReadWrite/,
  ],
  [
    'a put into a namespace that it may only read',
    { access: 'write', namespace: 'billing', rights: { read: undefined, write: some } },
    'namespace_denied',
    /may not put payloads of the Temporal namespace billing/,
  ],
  [
    'a reference of version 1 where the store lists namespaces',
    { namespace: undefined, served: some },
    'namespace_denied',
    /spec.temporalNamespaces only/,
  ],
  [
    'a reference of version 1 where its entry lists namespaces',
    { namespace: undefined, rights: { read: some, write: some } },
    'namespace_denied',
    /spec.callers gives the service account/,
  ],
])('a caller does not get %s', (_what, changes, code, message) => {
  expect(denialOfRequest(wish(changes))).toEqual({ code, message: expect.stringMatching(message) });
});
