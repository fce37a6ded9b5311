import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, type S3ClientConfig, S3Client as Sdk } from '@aws-sdk/client-s3';
import { writeCredentials } from '@largepayload/testing/s3-servers/s3-server';
import { afterAll, describe, expect, test } from 'vitest';
import { httpAgents } from '../../http-client/http-agents.ts';
import { factsOf, never, someBytes } from '../conformance/subject.ts';
import { faultOf } from './answers/sdk-faults.ts';
import { AwsSdkClient } from './aws-sdk-client.ts';
import { configuration, sendingBy } from './aws-sdk-settings.ts';
import {
  type Asked,
  listingFor,
  ok,
  refusal,
  type Script,
  type ScriptedServer,
  scriptedServer,
} from './scripted-server.fixture.ts';

const name = 'expires-20400101T000000Z-30d/orders/common/sha256:1/sha256:2';
const bytes = someBytes(1_000);
const absent = refusal(404, 'NoSuchKey');
const closed: (() => void)[] = [];
afterAll(() => {
  for (const close of closed) close();
});

function clientOf({ location, credentialsFolder }: ScriptedServer, bucket = location.bucket): AwsSdkClient {
  const client = new AwsSdkClient({ ...location, bucket }, credentialsFolder);
  closed.push(() => client.close());
  return client;
}

describe('an odd name of an object', () => {
  test.each([
    ['a b+c~d', 'a%20b%2Bc~d'],
    ['/blobs//x/', '/blobs//x/'],
    ['expires-1/sha256:0', 'expires-1/sha256%3A0'],
    ["!'()*", '%21%27%28%29%2A'],
    ['ä€😀', '%C3%A4%E2%82%AC%F0%9F%98%80'],
    ['a/../b/./c', 'a/../b/./c'],
    ['?x-id=a&b#c%2F', '%3Fx-id%3Da%26b%23c%252F'],
  ])('%s is %s in the path of each request', async (key, path) => {
    const server = await scriptedServer(ok({ 'Content-Length': '0' }));
    const client = clientOf(server);
    await client.put(key, [bytes], factsOf(bytes), { ifAbsent: true, signal: never() });
    await client.put(key, [bytes], factsOf(bytes), { ifAbsent: false, signal: never() });
    await client.head(key, never());
    await client.get(key, never()).then(({ object }) => object?.body.close());
    expect(server.asked.map((asked) => asked.path)).toEqual([
      `/payloads/${path}?x-id=PutObject`,
      `/payloads/${path}?x-id=PutObject`,
      `/payloads/${path}`,
      `/payloads/${path}?x-id=GetObject`,
    ]);
  });
});

test('requests have the headers that Amazon’s SDK sends, except those that count its retries', async () => {
  const server = await scriptedServer(ok({ 'Content-Length': '0' }));
  const client = clientOf(server);
  await client.put(name, [bytes], factsOf(bytes), { ifAbsent: true, signal: never() });
  await client.head(name, never());
  // The first two belong to the connection, the others change.
  const others = ['connection', 'accept-encoding', 'authorization', 'x-amz-date'];
  const headers = server.asked.map((asked) =>
    Object.fromEntries(Object.entries(asked.headers).filter(([header]) => !others.includes(header))),
  );
  const common = {
    host: server.endpoint.replace('http://', ''),
    'user-agent': expect.stringMatching(/^aws-sdk-js\/[\d.]+ .* large-payload-store$/),
    'x-amz-user-agent': expect.stringMatching(/^aws-sdk-js\/[\d.]+ large-payload-store$/),
  };
  const hex = factsOf(bytes).digest.slice('sha256:'.length);
  expect(headers).toEqual([
    {
      ...common,
      'content-length': '1000',
      'content-type': 'application/octet-stream',
      'if-none-match': '*',
      'x-amz-checksum-sha256': Buffer.from(hex, 'hex').toString('base64'),
      'x-amz-content-sha256': hex,
    },
    {
      ...common,
      'x-amz-checksum-mode': 'ENABLED',
      'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    },
  ]);
});

describe('credentials that change', () => {
  const keyOf = ({ headers }: Asked) => /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1];

  test.concurrent('sign the next request, with their token, while requests are under way', async ({
    expect,
  }) => {
    const { promise: rotated, resolve: rotate } = Promise.withResolvers<void>();
    const server = await scriptedServer(async (exchange) => {
      if (keyOf(exchange) === 'OLD') {
        await rotated;
        return refusal(400, 'ExpiredToken')(exchange);
      }
      return absent(exchange);
    });
    writeCredentials(server.credentialsFolder, 'OLD', 'old');
    const client = clientOf(server);
    const underWay = [1, 2, 3].map(() => client.head(name, never()).catch(faultOf));
    await expect.poll(() => server.asked.length).toBe(3);
    writeCredentials(server.credentialsFolder, 'NEW', 'new');
    await sleep(1_050);
    rotate();
    const faults = await Promise.all(underWay);
    // An answer to HEAD has no body that could name the reason.
    expect(faults).toEqual([1, 2, 3].map(() => expect.objectContaining({ status: 400 })));
    expect(await client.get(name, never())).toMatchObject({ object: undefined });
    expect(server.asked.map(keyOf)).toEqual(['OLD', 'OLD', 'OLD', 'NEW']);
  });

  test.concurrent('are asked for under the signal, before anything is sent', async ({ expect }) => {
    const server = await scriptedServer(absent);
    writeCredentials(server.credentialsFolder, 'with space', 'x');
    const client = clientOf(server);
    expect(faultOf(await client.head(name, never()).catch((error) => error))).toMatchObject({
      code: 'BadCharacter',
    });
    await expect(client.get(name, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(server.asked).toEqual([]);
  });
});

describe('the clock', () => {
  const HOUR = 3_600_000;
  const timeOf = (text = '') =>
    Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  /** A service that is an hour ahead, and refuses what is signed more than 15 minutes away. */
  const ahead = (headers: Record<string, string> = {}): Script => {
    return (exchange) => {
      const { path, response } = exchange;
      const time = Date.now() + HOUR;
      response.setHeader('Date', new Date(time).toUTCString());
      for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
      const isSkewed = Math.abs(timeOf(exchange.headers['x-amz-date'] as string) - time) > 900_000;
      if (isSkewed) return refusal(403, 'RequestTimeTooSkewed')(exchange);
      return path.includes('list-type') ? response.end(listingFor(path)) : absent(exchange);
    };
  };

  test('of the service, learned from a request for an object, is used to sign listings', async () => {
    const server = await scriptedServer(ahead());
    const client = clientOf(server);
    expect(await client.get(name, never()).catch(faultOf)).toMatchObject({ code: 'RequestTimeTooSkewed' });
    await client.list({ prefix: '' }, never());
    expect(await client.get(name, never())).toMatchObject({ object: undefined });
  });

  test('of the service, learned from a listing, is used to sign requests for objects', async () => {
    const server = await scriptedServer(ahead());
    const client = clientOf(server);
    const listed = await client.list({ prefix: '' }, never()).catch(faultOf);
    expect(listed).toMatchObject({ code: 'RequestTimeTooSkewed' });
    expect(await client.head(name, never())).toBeUndefined();
  });

  test('of an answer from a cache is not used', async () => {
    const server = await scriptedServer(ahead({ Age: '3600' }));
    const client = clientOf(server);
    for (let look = 0; look < 2; look += 1) {
      expect(await client.get(name, never()).catch(faultOf)).toMatchObject({ code: 'RequestTimeTooSkewed' });
    }
  });
});

describe('a refusal', () => {
  const raw =
    (status: number, text: string | Buffer, headers: Record<string, string> = {}): Script =>
    ({ response }) =>
      response.writeHead(status, { 'Content-Type': 'application/xml', ...headers }).end(text);
  const WHOLE =
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>a &amp; b &#x41; &lt;c&gt;</Message>' +
    '<Region>eu-west-3</Region><RequestId>1</RequestId></Error>';

  /** What this client and the SDK alone make of the same answer. */
  async function faultsOf(script: Script) {
    const server = await scriptedServer(script);
    const agents = httpAgents(undefined);
    const keys = async () => ({ accessKeyId: 'id', secretAccessKey: 'secret' });
    const sdk = new Sdk(configuration(server.location, keys, sendingBy(agents)) as S3ClientConfig);
    closed.push(() => agents.close());
    const client = clientOf(server);
    return {
      ofClient: async () => faultOf(await client.get(name, never()).catch((error) => error)),
      ofSdk: async () =>
        faultOf(
          await sdk.send(new GetObjectCommand({ Bucket: 'payloads', Key: name })).catch((error) => error),
        ),
    };
  }

  test('that is cut anywhere has the fault that Amazon’s SDK reads in it', async () => {
    let cut = 0;
    const { ofClient, ofSdk } = await faultsOf((exchange) => raw(503, WHOLE.slice(0, cut))(exchange));
    for (cut = 0; cut <= WHOLE.length; cut += 3) {
      const fault = await ofClient();
      expect(fault, `${cut} bytes`).toEqual(await ofSdk());
      expect(fault?.status).toBe(503);
    }
  });

  test.each<[string, Script]>([
    ['with a code of another status', raw(500, WHOLE.replace('SlowDown', 'NoSuchKey'))],
    ['with two codes', raw(403, '<Error><Code>AccessDenied</Code><Code>SlowDown</Code></Error>')],
    ['with a code in a code', raw(403, '<Error><Code><Code>AccessDenied</Code></Code></Error>')],
    ['of an entity', raw(403, '<!DOCTYPE E [<!ENTITY a "x">]><Error><Code>&a;</Code></Error>')],
    ['of entities of entities', raw(403, bomb())],
    ['with characters that are none', raw(400, Buffer.from([0x3c, 0xff, 0xfe, 0x00, 0x3e]))],
    ['of a page', raw(403, '<html><body>blocked</body></html>', { 'Content-Type': 'text/html' })],
    ['of a page that is called XML', raw(503, '<html><body><br>blocked</body></html>')],
    ['in JSON', raw(400, '{"Code":"SlowDown"}')],
    ['of another root', raw(403, '<Fault><Code>AccessDenied</Code></Fault>')],
    ['with Retry-After', raw(503, WHOLE, { 'Retry-After': '7' })],
    ['with a region', raw(301, WHOLE, { 'x-amz-bucket-region': 'eu-central-1' })],
    ['that redirects', raw(307, '', { Location: 'http://login.test/' })],
    ['that says nothing has changed', raw(304, '')],
    ['of 60 KiB of tags', raw(503, '<a>'.repeat(20_000))],
  ])('%s has the fault that Amazon’s SDK reads in it', async (_title, script) => {
    const { ofClient, ofSdk } = await faultsOf(script);
    const fault = await ofClient();
    expect(fault?.status).toBeGreaterThanOrEqual(300);
    expect(fault).toEqual(await ofSdk());
  });

  test('whose texts are long is cut', async () => {
    const long = 'x'.repeat(20_000);
    const text = `<Error><Code>${long}</Code><Message>${long}</Message><Region>${long}</Region></Error>`;
    const { ofClient } = await faultsOf(raw(400, text));
    const { code = '', message = '', region = '' } = (await ofClient()) ?? {};
    for (const each of [code, message, region]) expect(each).toBe(long.slice(0, 1_000));
  });

  test('that is larger than any refusal counts as no answer of S3', async () => {
    const { ofClient } = await faultsOf(raw(503, 'x'.repeat(200_000)));
    expect(await ofClient()).toMatchObject({ status: undefined, code: 'BadAnswer' });
  });

  function bomb(): string {
    const entities = Array.from({ length: 12 }, (_, index) =>
      index === 0 ? '<!ENTITY e0 "0123456789">' : `<!ENTITY e${index} "${`&e${index - 1};`.repeat(10)}">`,
    );
    return `<!DOCTYPE E [${entities.join('')}]><Error><Code>&e11;</Code></Error>`;
  }
});

test.each(['payloads--use1-az4--x-s3'])(
  'the directory bucket %s is refused, and no request is sent',
  async (bucket) => {
    const server = await scriptedServer(ok());
    expect(await clientOf(server, bucket).get(name, never()).catch(faultOf)).toMatchObject({
      code: 'BadLocation',
      message: expect.stringContaining('directory bucket'),
    });
    expect(server.asked).toEqual([]);
  },
);
