import { Agent, type RequestOptions, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { call, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { startService, temporaryFolder } from '@largepayload/testing/service/running-service';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { handshake } from './tls-services.fixture.ts';

test('a certificate is exchanged under load: no request fails, and no connection is dropped', async () => {
  const [before, after] = [testAuthority('before'), testAuthority('after')];
  const folder = await temporaryFolder();
  await writeCertificateSecret(folder, before.issue());
  await using service = await startService({ tlsFolder: folder });
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: [before.certificate, after.certificate] });
  const issuers = new Set<string>();
  const statuses = new Set<number | undefined>();
  const keptSockets = new Set<unknown>();
  const { bytes, putPath, putHeaders, getHeaders: headers } = testPayload('asked for again and again');
  const key = keyOf(await call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes }));
  const ask = (options: RequestOptions) =>
    new Promise<TLSSocket>((resolve, reject) => {
      const url = `https://${service.data}${getPath(key)}`;
      const outgoing = request(url, { headers, ...options }, (answer) => {
        const socket = answer.socket as TLSSocket;
        issuers.add(String(socket.getPeerCertificate().issuer?.CN));
        statuses.add(answer.statusCode);
        answer.resume().on('end', () => resolve(socket));
      });
      outgoing.on('error', reject).end();
    });
  let isOver = false;
  const keptAlive = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      keptSockets.add(await ask({ agent }));
      // A connection ends after a thousand requests, as their heads take memory.
      await sleep(10);
    }
  });
  await eventually('the first certificate is served', () => issuers.has('before'));
  await writeCertificateSecret(folder, after.issue());
  await eventually('the next one is served to new connections', async () => {
    await ask({ agent: false, ca: agent.options.ca });
    return issuers.has('after');
  });
  isOver = true;
  await Promise.all(keptAlive);
  expect([...statuses]).toEqual([200]);
  expect(keptSockets.size).toBe(4);
  agent.destroy();
});

test('a client of TLS gets an alert while there is no certificate, and a plain one is served', async () => {
  const empty = await temporaryFolder();
  await using waiting = await startService({ tlsFolder: empty });
  expect(await handshake(waiting.data)).toMatch(/HANDSHAKE_FAILURE$/);
  expect((await call(waiting.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
});
