import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError } from '@largepayload/testing/service/http-call';
import { testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { manifestText, metric } from '@largepayload/testing/service/running-service';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { writeClusterFolder } from '@largepayload/testing/tokens/cluster-folder';
import { TokenIssuer } from '@largepayload/testing/tokens/token-issuer';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';

const { serve, run, newFolder, configFile } = realProgram();
const AUTHORITY = testAuthority();
const ca = AUTHORITY.certificate;
const TOKENS = { gateway: { authentication: 'Token' } };
const NOT_AFTER = Date.parse('2046-07-08T09:10:11Z');
const EXPIRY = 'payload_store_tls_certificate_not_after_timestamp_seconds';
const HEALTH = '/v2/health/head';

const readyz = async (service: ServingProcess) => {
  const { status, body } = await call(service.metrics, '/readyz');
  return { status, ...JSON.parse(body.toString()).error };
};

test.concurrent('a gateway that needs tokens is not ready before it has a certificate, and is then reached by TLS only', async () => {
  await using issuer = await TokenIssuer.start({ token: 'of the gateway' });
  const dataFolder = await newFolder('needs tokens');
  const cluster = await writeClusterFolder(`${dataFolder}-kubernetes`, 'of the gateway');
  const tlsFolder = `${dataFolder}-tls`;
  const args = ['--kubernetes-dir', cluster, '--kubernetes-url', issuer.url, '--tls-dir', tlsFolder];
  await using service = await serve({ role: 'gateway', dataFolder, spec: TOKENS, args });

  expect(await readyz(service)).toMatchObject({
    status: 503,
    code: 'tls_required',
    message: expect.stringContaining(tlsFolder),
  });
  const { body } = await call(service.metrics, '/status');
  expect(JSON.parse(body.toString()).error.reason).toBe('CertificateMissing');
  expect(await metric(service, EXPIRY)).toBe(0);

  const names = ['*.orders.svc', '*.orders.svc.cluster.local', '127.0.0.1'];
  await writeCertificateSecret(tlsFolder, AUTHORITY.issue(names, { notAfter: NOT_AFTER }));
  await eventually('ready', async () => (await readyz(service)).status === 200);
  expect((await call(service.data, HEALTH, { method: 'HEAD', ca })).status).toBe(200);
  expect((await call(service.data, HEALTH, { method: 'HEAD' })).status).toBe(503);
  expect(await metric(service, EXPIRY)).toBe(NOT_AFTER / 1_000);

  const { bytes, putPath, putHeaders } = testPayload('without a token');
  const asked = { method: 'PUT', headers: putHeaders, body: bytes };
  expectError(await call(service.data, putPath, { ...asked, ca }), 'token_missing');
  const answer = await call(service.data, putPath, asked);
  expectError(answer, 'tls_required');
  expect(answer.body.toString()).toContain(`https://${service.data},`);
  expect(answer.body.toString()).toContain('LARGE_PAYLOAD_SERVICE_CA_FILE');
  const named = 'an https:// URL with a name of its certificate (*.orders.svc or *.orders.svc.cluster.local)';
  for (const [host, url] of [
    ['documents-gateway.orders.svc:8577', 'https://documents-gateway.orders.svc:8577'],
    ['documents-gateway.orders.svc.cluster.local', 'https://documents-gateway.orders.svc.cluster.local'],
    ['documents-gateway:8577', named],
    ['documents-gateway.orders:8577', named],
    ['10.96.0.7:8577', named],
  ]) {
    const refused = await call(service.data, putPath, { ...asked, headers: { ...putHeaders, Host: host } });
    expect(refused.body.toString()).toContain(`set LARGE_PAYLOAD_SERVICE_URL to ${url}, and`);
  }

  await using connection = await RawConnection.open(service.data);
  const lengths = { ...putHeaders, 'Content-Length': '1000000000', Expect: '100-continue' };
  await connection.send(headText(`PUT ${putPath} HTTP/1.1`, { ...lengths, Host: '"><script>' }));
  const early = await connection.answer();
  expectError(early, 'tls_required');
  expect(early.body.toString()).not.toContain('script');
  expect(early.body.toString()).toContain(named);
  await connection.closed();
});

test.concurrent('an expired certificate is served, so that readiness does not change by the clock', async () => {
  await using issuer = await TokenIssuer.start({ token: 'of the gateway' });
  const dataFolder = await newFolder('expired');
  const cluster = await writeClusterFolder(`${dataFolder}-kubernetes`, 'of the gateway');
  const expired = AUTHORITY.issue(undefined, { notBefore: 0, notAfter: 1_000_000_000_000 });
  await writeCertificateSecret(`${dataFolder}-tls`, expired);
  const args = [
    '--kubernetes-dir',
    cluster,
    '--kubernetes-url',
    issuer.url,
    '--tls-dir',
    `${dataFolder}-tls`,
  ];
  await using service = await serve({ role: 'gateway', dataFolder, spec: TOKENS, args });
  await eventually('ready', async () => (await readyz(service)).status === 200);
  await expect(call(service.data, HEALTH, { method: 'HEAD', ca })).rejects.toThrow(/expired/);
  expect(await metric(service, EXPIRY)).toBe(1_000_000_000);
  expect(service.log).toContainEqual(
    expect.objectContaining({ level: 'error', notAfter: '2001-09-09T01:46:40.000Z' }),
  );
});

test.concurrent('a standalone service takes TLS beside plain HTTP, also before it has a certificate', async () => {
  const dataFolder = await newFolder('standalone');
  const tlsFolder = `${dataFolder}-tls`;
  await using service = await serve({ dataFolder, args: ['--tls-dir', tlsFolder] });
  expect((await readyz(service)).status).toBe(200);
  await writeCertificateSecret(tlsFolder, AUTHORITY.issue());
  await eventually('TLS is served', async () => {
    const answer = await call(service.data, HEALTH, { method: 'HEAD', ca }).catch(() => undefined);
    return answer?.status === 200;
  });
  expect((await call(service.data, HEALTH, { method: 'HEAD' })).status).toBe(200);
});

describe('a service is not started', () => {
  test.concurrent('as a gateway that needs tokens and has no folder of a certificate', async () => {
    const config = await configFile(manifestText({ ttl: '1h', spec: TOKENS }));
    const place = [
      '--data-dir',
      await newFolder('unused'),
      '--kubernetes-dir',
      await newFolder('kubernetes'),
    ];
    const { code, stderr } = await run(['serve', '--role', 'gateway', '--config', config, ...place]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('needs --tls-dir') });
  });

  test.concurrent('as a reaper with such a folder', async () => {
    const config = await configFile(manifestText({ ttl: '1h' }));
    const { code, stderr } = await run([
      'serve',
      '--role',
      'reaper',
      '--config',
      config,
      '--tls-dir',
      '/tls',
    ]);
    expect({ code, stderr }).toMatchObject({ code: 2 });
  });
});
