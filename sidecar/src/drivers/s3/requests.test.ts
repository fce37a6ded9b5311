import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CollectedBody } from '../../bytes/collected-body.ts';
import { tryWrite } from '../../storage-records/write-check/write-trial.ts';
import { contentOf, factsOf, inChunks, never, putInto, someBytes } from '../conformance/subject.ts';
import type { ObjectStoreDriver } from '../object-store/object-store-driver.ts';
import { inTurn, listingFor, ok, refusal, type Script, scriptedServer } from './scripted-server.fixture.ts';

const SLASHED = '/blobs/orders/common/sha256:1/sha256:2';
const IN_WINDOW = 'expires-20400101T000000Z-30d/orders/common/sha256:1/sha256:2';
const bytes = someBytes(100_000);
const facts = factsOf(bytes);
const hex = facts.digest.slice('sha256:'.length);
const base64 = Buffer.from(hex, 'hex').toString('base64');

const put = (driver: ObjectStoreDriver, name: string, content = bytes) =>
  putInto(driver, name, inChunks(content), factsOf(content), { signal: never() });

test('a new payload is one request, create-only, with the digest that the service has to check', async () => {
  let received: Buffer = Buffer.alloc(0);
  const server = await scriptedServer(async ({ response, body }) => {
    received = await body();
    response.end();
  });
  expect(await put(server.driver(), IN_WINDOW)).toBe('created');
  expect(server.asked).toHaveLength(1);
  expect(server.asked[0]).toMatchObject({
    method: 'PUT',
    path: `/payloads/${IN_WINDOW.replaceAll(':', '%3A')}?x-id=PutObject`,
    headers: {
      'if-none-match': '*',
      'content-length': '100000',
      'x-amz-checksum-sha256': base64,
      'x-amz-content-sha256': hex,
      authorization: expect.stringContaining('content-length;'),
    },
  });
  expect(server.asked[0]?.headers.authorization).toContain('x-amz-content-sha256');
  expect(server.asked[0]?.headers).not.toHaveProperty('transfer-encoding');
  expect(received.equals(bytes)).toBe(true);
});

test.each([
  ['without a prefix the name is the key, its slash included', '', SLASHED, `/payloads/${SLASHED}`],
  ['behind a prefix the slash is left out', 'of/orders/', SLASHED, `/payloads/of/orders${SLASHED}`],
  ['a window has no slash', 'of/orders/', IN_WINDOW, `/payloads/of/orders/${IN_WINDOW}`],
])('%s', async (_title, prefix, name, path) => {
  const server = await scriptedServer(ok({ 'Content-Length': '0' }));
  const driver = server.driver({ prefix });
  await put(driver, name);
  await driver.open(name, never()).then((blob) => blob?.close());
  await putInto(driver, name, inChunks(bytes), facts, { signal: never(), keepExisting: true });
  const paths = server.asked.map((asked) => asked.path.replace(/\?.*/, ''));
  expect(new Set(paths)).toEqual(new Set([path.replaceAll(':', '%3A')]));
  expect(server.asked.map(({ method }) => method)).toEqual(['PUT', 'GET', 'HEAD']);
});

test('a hit is two requests: the refused create, and the look that compares size and digest', async () => {
  const server = await scriptedServer(
    inTurn(
      refusal(412, 'PreconditionFailed'),
      ok({ 'Content-Length': '100000', 'x-amz-checksum-sha256': base64 }),
    ),
  );
  expect(await put(server.driver(), IN_WINDOW)).toBe('existed');
  expect(server.asked.map(({ method }) => method)).toEqual(['PUT', 'HEAD']);
  expect(server.asked[1]?.headers['x-amz-checksum-mode']).toBe('ENABLED');
});

const otherDigest = createHash('sha256').update('other').digest('base64');
test.each([
  ['of another size', { 'Content-Length': '99999', 'x-amz-checksum-sha256': base64 }, 'created'],
  ['of another digest', { 'Content-Length': '100000', 'x-amz-checksum-sha256': otherDigest }, 'created'],
  ['without a digest', { 'Content-Length': '100000' }, 'existed'],
  ['in parts', { 'Content-Length': '100000', 'x-amz-checksum-sha256': `${otherDigest}-2` }, 'existed'],
])('an object that is there, %s: %j -> %s', async (_title, headers, outcome) => {
  const script = inTurn(refusal(412, 'PreconditionFailed'), ok(headers), ok());
  const server = await scriptedServer(script);
  expect(await put(server.driver(), IN_WINDOW)).toBe(outcome);
  const overwrites = server.asked.filter(
    ({ method, headers: sent }) => method === 'PUT' && !sent['if-none-match'],
  );
  expect(overwrites).toHaveLength(outcome === 'created' ? 1 : 0);
});

test('a large hit is not uploaded; a large new payload is asked for before it is sent', async () => {
  const large = someBytes(9 * 1024 * 1024);
  const digest = Buffer.from(factsOf(large).digest.slice(7), 'hex').toString('base64');
  const hit = await scriptedServer(
    ok({ 'Content-Length': `${large.length}`, 'x-amz-checksum-sha256': digest }),
  );
  expect(await put(hit.driver(), IN_WINDOW, large)).toBe('existed');
  expect(hit.asked.map(({ method }) => method)).toEqual(['HEAD']);

  const take: Script = async ({ response, body }) => {
    response.writeContinue();
    expect((await body()).equals(large)).toBe(true);
    response.end();
  };
  const created = await scriptedServer(inTurn(refusal(404, 'NotFound'), take));
  expect(await put(created.driver(), IN_WINDOW, large)).toBe('created');
  expect(created.asked[1]).toMatchObject({
    method: 'PUT',
    headers: {
      expect: '100-continue',
      'content-length': `${large.length}`,
      'x-amz-content-sha256': factsOf(large).digest.slice(7),
    },
  });
});

test('a body that would exceed the memory for all bodies is streamed, and needs no memory', async () => {
  const taken: Script = async ({ method, headers, response, body }) => {
    if (method === 'HEAD') return response.writeHead(404).end();
    if (headers.expect !== undefined) response.writeContinue();
    await body();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return response.end();
  };
  const server = await scriptedServer(taken);
  const driver = server.driver({ inMemoryTotal: 2.5 * CollectedBody.memoryFor(bytes.length) });
  const putFour = () => Promise.all([1, 2, 3, 4].map((index) => put(driver, `${IN_WINDOW}/${index}`)));
  expect(await putFour()).toEqual(['created', 'created', 'created', 'created']);
  expect(server.asked.filter(({ method }) => method === 'HEAD')).toHaveLength(2);
  await putFour();
  expect(
    server.asked.filter(({ method }) => method === 'HEAD'),
    'memory is given back',
  ).toHaveLength(4);
});

test('a get is one request, and gives the bytes', async () => {
  const server = await scriptedServer(({ response }) => response.end(bytes));
  const blob = await server.driver().open(IN_WINDOW, never());
  expect(blob?.size).toBe(bytes.length);
  expect((await contentOf(blob)).equals(bytes)).toBe(true);
  expect(server.asked.map(({ method }) => method)).toEqual(['GET']);
});

test('an object is written with the storage class and encryption of the manifest', async () => {
  const server = await scriptedServer(ok());
  const serverSideEncryption = { type: 'aws:kms', kmsKeyID: 'arn:aws:kms:eu-central-1:111122223333:key/abc' };
  await put(server.driver({ storageClass: 'STANDARD_IA', serverSideEncryption }), IN_WINDOW);
  expect(server.asked[0]?.headers).toMatchObject({
    'x-amz-storage-class': 'STANDARD_IA',
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': serverSideEncryption.kmsKeyID,
  });
});

test('a trial of writing overwrites what is there, with the storage class of the manifest', async () => {
  const there = ok({ 'Content-Length': '150', 'x-amz-checksum-sha256': otherDigest });
  const server = await scriptedServer(inTurn(refusal(412, 'PreconditionFailed'), there, ok()));
  await tryWrite(server.driver({ prefix: 'p/', storageClass: 'STANDARD_IA' }));
  expect(server.asked.map(({ method }) => method)).toEqual(['PUT', 'HEAD', 'PUT']);
  expect(server.asked[2]).toMatchObject({
    path: '/payloads/p/write-check?x-id=PutObject',
    headers: { 'x-amz-storage-class': 'STANDARD_IA' },
  });
  expect(server.asked[2]?.headers).not.toHaveProperty('if-none-match');
});

test('requests are signed for the region of the manifest, or else for the default of services other than AWS', async () => {
  const server = await scriptedServer(ok());
  await put(server.driver({ region: 'eu-central-1' }), IN_WINDOW);
  await put(server.driver(), IN_WINDOW);
  const scopes = server.asked.map(
    ({ headers }) => /Credential=[^/]+\/\d+\/([^,]+),/.exec(headers.authorization ?? '')?.[1],
  );
  expect(scopes).toEqual(['eu-central-1/s3/aws4_request', 'us-east-1/s3/aws4_request']);
});

test('keys of other writers are listed as they are, whatever characters they have', async () => {
  const page = (path: string, keys: string[], next: string) =>
    listingFor(
      path,
      `<IsTruncated>${next !== ''}</IsTruncated>${next}` +
        keys.map((key) => `<Contents><Key>${key}</Key><Size>3</Size></Contents>`).join(''),
    );
  const next = '<NextContinuationToken>t/1</NextContinuationToken>';
  const server = await scriptedServer(
    inTurn(
      ({ path, response }) => response.end(page(path, ['p/a%01b', 'p/a+b%2Bc'], next)),
      ({ path, response }) => response.end(page(path, ['p/%C3%A4'], '')),
    ),
  );
  const names = [];
  for await (const found of server.driver({ prefix: 'p/' }).list('', never())) {
    names.push(...found.map(({ name }) => name));
  }
  expect(names).toEqual(['a\u0001b', 'a b+c', 'ä']);
  expect(server.asked[1]?.path).toContain('continuation-token=t%2F1');
});

test('a folder whose leading slash the service has folded is not listed for a prefix with the slash', async () => {
  const folded = '<CommonPrefixes><Prefix>blobs/</Prefix></CommonPrefixes>';
  const server = await scriptedServer(({ path, response }) => response.end(listingFor(path, folded)));
  const found = [];
  for await (const name of server.driver().listLevel('/blobs', never())) found.push(name);
  expect(found).toEqual([]);
});

test('first segments that begin with a slash are looked up one level deeper', async () => {
  const prefixes = (prefix: string) => `<CommonPrefixes><Prefix>${prefix}</Prefix></CommonPrefixes>`;
  const server = await scriptedServer(({ path, response }) =>
    response.end(listingFor(path, prefixes(path.includes('prefix=%2F') ? '/blobs/' : '/'))),
  );
  const found = [];
  for await (const name of server.driver().listLevel('', never())) found.push(name);
  expect(found).toEqual(['/blobs/']);
});
