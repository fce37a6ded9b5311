import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { failureOf } from '../failures.fixture.ts';
import { BlobClient } from './blob-client.ts';
import {
  type Authorities,
  data,
  fileWith,
  makeAuthorities,
  pass,
  startGateway,
  wanted,
} from './service-access.fixture.ts';

let made: Authorities;
beforeAll(async () => {
  made = await makeAuthorities();
});
afterAll(() => made[Symbol.asyncDispose]());
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

let files = 0;
const newFileWith = (text: string) => fileWith(made.folder, `file-${files++}`, text);

describe('a server', () => {
  const clientOf = (url: string, caFile?: string) => new BlobClient({ url, caFile });

  test('of an authority in the file is trusted, and of no other one', async () => {
    await using gateway = await startGateway(made.ours.server);
    expect(await clientOf(gateway.url, made.ours.caFile).get(wanted)).toEqual(data);
    for (const caFile of [made.other.caFile, undefined]) {
      const failure = await failureOf(clientOf(gateway.url, caFile).get(wanted));
      expect(failure).toMatchObject({
        name: 'PayloadStoreUnavailableError',
        code: 'gateway_untrusted',
        retryable: true,
        key: wanted.key,
      });
      expect((failure as Error).message).toMatch(
        /not from a trusted authority.*LARGE_PAYLOAD_SERVICE_CA_FILE/,
      );
    }
    expect(gateway.shown).toHaveLength(1);
  });

  test.each([
    ['elsewhere', 'for another host', /is not for this host.*spec\.gateway\.dnsNames/],
    ['expired', 'that has expired', /has expired.*the clock of this machine.*the operator/],
    ['early', 'that is not valid yet', /not valid yet.*the clock of this machine/],
  ] as const)('with the certificate "%s", %s, is not trusted', async (name, _case, message) => {
    await using gateway = await startGateway(made.ours[name]);
    const failure = await failureOf(clientOf(gateway.url, made.ours.caFile).get(wanted));
    expect(failure).toMatchObject({ code: 'gateway_untrusted', retryable: true });
    expect((failure as Error).message).toMatch(message);
    expect(gateway.shown).toEqual([]);
  });

  test('of a new authority is trusted when the file has it: no connection is dropped for it', async () => {
    await using gateway = await startGateway(made.ours.server);
    const both = await Promise.all([readFile(made.ours.caFile), readFile(made.other.caFile)]);
    const caFile = await newFileWith(both[0].toString());
    const client = clientOf(gateway.url, caFile);
    await client.get(wanted);
    await writeFile(caFile, Buffer.concat(both));
    gateway.useCertificate(made.other.server);
    await client.get(wanted);
    expect(gateway.connections).toHaveLength(1);
    gateway.connections[0]?.destroy();
    pass(1_001);
    expect(await client.get(wanted)).toEqual(data);
    expect(gateway.connections).toHaveLength(2);
  });

  test('of an authority that the file no longer has is not trusted by an earlier session', async () => {
    await using gateway = await startGateway(made.ours.server);
    const caFile = await newFileWith(await readFile(made.ours.caFile, 'utf8'));
    const client = clientOf(gateway.url, caFile);
    await client.get(wanted);
    await writeFile(caFile, await readFile(made.other.caFile));
    gateway.connections[0]?.destroy();
    pass(1_001);
    expect(await failureOf(client.get(wanted))).toMatchObject({ code: 'gateway_untrusted' });
  });

  test('that was not trusted is tried with the file as it is then', async () => {
    await using gateway = await startGateway(made.ours.server);
    const caFile = await newFileWith(await readFile(made.other.caFile, 'utf8'));
    const client = clientOf(gateway.url, caFile);
    expect(await failureOf(client.get(wanted))).toMatchObject({ code: 'gateway_untrusted' });
    await writeFile(caFile, await readFile(made.ours.caFile));
    expect(await client.get(wanted)).toEqual(data);
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'it is empty'],
    [
      'a key',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      'it has no certificate in PEM',
    ],
    ['half a certificate', '-----BEGIN CERTIFICATE-----\nAAAA', 'it has a certificate that is cut off'],
    [
      'a broken certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'it has a certificate that cannot be read',
    ],
  ])('is not asked when the file of authorities has %s', async (_case, text, problem) => {
    await using gateway = await startGateway(made.ours.server);
    const failure = await failureOf(clientOf(gateway.url, await newFileWith(text)).get(wanted));
    expect(failure).toMatchObject({
      name: 'PayloadStoreUnavailableError',
      code: 'ca_unreadable',
      retryable: true,
    });
    expect((failure as Error).message).toContain(problem);
    expect(gateway.connections).toHaveLength(0);
  });

  test.each(['tokenFile', 'caFile'])(
    'is verified where there is a %s, whatever the environment says',
    async (option) => {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
      // Node warns of the variable.
      vi.spyOn(process, 'emitWarning').mockReturnValue();
      await using gateway = await startGateway(made.ours.server);
      const file = option === 'caFile' ? made.other.caFile : await newFileWith('secret');
      const client = new BlobClient({ url: gateway.url, [option]: file });
      expect(await failureOf(client.get(wanted))).toMatchObject({ code: 'gateway_untrusted' });
      expect(gateway.shown).toEqual([]);
    },
  );

  test('that speaks TLS 1.1 at most gets no request', async () => {
    // OpenSSL has 1.1 at this level only.
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await using gateway = await startGateway({ ...made.ours.server, ...old });
    const failure = await failureOf(clientOf(gateway.url, made.ours.caFile).get(wanted));
    expect(failure).toMatchObject({ name: 'PayloadStoreUnavailableError', retryable: true });
    expect(gateway.shown).toEqual([]);
  });
});

test('a connection that is old is not used again, so that requests reach new gateways', async () => {
  await using gateway = await startGateway(made.ours.server);
  const client = new BlobClient({ url: gateway.url, caFile: made.ours.caFile });
  await client.get(wanted);
  await client.get(wanted);
  expect(gateway.connections).toHaveLength(1);
  pass(300_000);
  await client.get(wanted);
  expect(gateway.connections).toHaveLength(1);
  await client.get(wanted);
  expect(gateway.connections).toHaveLength(2);
});
