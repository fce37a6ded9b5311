import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import {
  filesIn,
  metric,
  startService,
  type TestService,
} from '@largepayload/testing/service/running-service';
import { expect, test } from 'vitest';

const put = (service: TestService, namespace: string) => {
  const { bytes, putPath, putHeaders } = testPayload('whose', namespace);
  return call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
};
const get = (service: TestService, path: string) =>
  call(service.data, path, { headers: testPayload('whose').getHeaders });

test('a store that lists its Temporal namespaces takes and serves those alone', async () => {
  await using service = await startService({ temporalNamespaces: ['orders', 'returns'] });
  const keys = [keyOf(await put(service, 'orders')), keyOf(await put(service, 'returns'))];
  const files = await filesIn(service.folder);
  for (const key of keys) expect((await get(service, getPath(key))).status).toBe(200);
  for (const other of ['billing', 'Orders', 'order', 'orders.eu', 'orders-eu']) {
    expectError(await put(service, other), 'namespace_denied');
    const foreign = keys[0]?.replace('/orders/', `/${other}/`) ?? '';
    expectError(await get(service, getPath(foreign)), 'namespace_denied');
    // Some clients escape twice.
    expectError(await get(service, getPath(encodeURIComponent(foreign))), 'namespace_denied');
  }
  expectError(await get(service, getPath('/blobs/orders/../billing')), 'invalid_key');
  expectError(await get(service, `/v1/blobs/get?digest=${testPayload('whose').digest}`), 'namespace_denied');
  expect(await filesIn(service.folder)).toEqual(files);
  expect(await metric(service, 'payload_store_put_total{result="namespace_denied"}')).toBe(5);
  expect(await metric(service, 'payload_store_get_errors_total{code="namespace_denied"}')).toBe(11);
});

test('a store that lists none takes any', async () => {
  await using service = await startService();
  for (const namespace of ['orders', 'billing']) {
    const key = keyOf(await put(service, namespace));
    expect((await get(service, getPath(key))).status).toBe(200);
  }
});
