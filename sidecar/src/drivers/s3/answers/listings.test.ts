import { expect, test } from 'vitest';
import { usage } from '../../../retention/usage.ts';
import { all, never, someName } from '../../conformance/subject.ts';
import { inTurn, listingFor, type Script, scriptedServer } from '../scripted-server.fixture.ts';

const WINDOW = 'expires-20400101T000000Z-30d/';
const key = (seed: number) => someName(seed);
const contents = (...keys: string[]) =>
  keys.map((each) => `<Contents><Key>${each}</Key><Size>3</Size></Contents>`).join('');
const folders = (...names: string[]) =>
  names.map((each) => `<CommonPrefixes><Prefix>${each}</Prefix></CommonPrefixes>`).join('');
const more = (token: string, content: string) =>
  `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>${content}`;
/** @param change what somebody made of the listing on its way */
const listing =
  (content: string, change: (text: string) => string = (text) => text): Script =>
  ({ path, response }) =>
    response.end(change(listingFor(path, content)));
const sorted = (count: number) => Array.from({ length: count }, (_, index) => key(index)).sort();
const [first = '', second = '', third = ''] = sorted(3);

const listed = async (script: Script, prefix = '') => {
  const server = await scriptedServer(script);
  const driver = server.driver({ prefix });
  const outcome = await all(driver.list(WINDOW, never())).catch((error: Error) => error);
  return { server, outcome };
};

test.concurrent.each<[string, Script, RegExp]>([
  ['another bucket', listing('', (text) => text.replace('payloads', 'others')), /of the bucket "others"/],
  ['no bucket', listing('', (text) => text.replace('<Name>payloads</Name>', '')), /of the bucket ""/],
  ['no prefix', listing('', (text) => text.replace(/<Prefix>.*?<\/Prefix>/, '')), /of the prefix ""/],
  ['another prefix', listing('', (text) => text.replace('T00', 'T01')), /of the prefix "expires-20400101T01/],
  [
    'another delimiter',
    listing('', (text) => text.replace('<EncodingType>', '<Delimiter>/</Delimiter><EncodingType>')),
    /of the delimiter "\/"/,
  ],
  ['a key of another place', listing(contents(first, 'store.json')), /it has "store\.json"/],
  ['folders that were not asked for', listing(folders(`${WINDOW}orders/`)), /does not fit the delimiter/],
  ['an end that is none', listing('<IsTruncated>true</IsTruncated>'), /goes on, and has no token/],
  [
    'an empty token',
    listing('<IsTruncated>true</IsTruncated><NextContinuationToken/>'),
    /goes on, and has no token/,
  ],
  ['a token that repeats', listing(more('same', '')), /token comes again/],
  [
    'a page that repeats',
    inTurn(listing(more('1', contents(first))), listing(more('2', contents(first)))),
    /after/,
  ],
  ['a circle of pages', circle([contents(first), contents(second), contents(third)]), /after/],
  ['keys that go backwards', listing(contents(second, first)), /after/],
  ['a key twice', listing(contents(first, first)), /after/],
  ['more keys than asked for', listing(contents(...sorted(1_001))), /1001 objects on a page of at most 1000/],
  ['keys that are cut off', listing(contents(first), (text) => text.slice(0, -60)), /cut off/],
  ['no end of the document', listing(contents(first), (text) => text.replace(/<\/List.*/, '')), /cut off/],
  [
    'another document',
    listing('', (text) => text.replaceAll('ListBucketResult', 'Error')),
    /without a ListBucket/,
  ],
  ['keys that are not encoded as it says', listing(contents(`${WINDOW}100%`)), /not encoded as it says/],
  ['a page', ({ response }) => response.setHeader('Content-Type', 'text/html').end('<html/>'), /text\/html/],
  ['nothing', ({ response }) => response.end(), /without a ListBucketResult/],
  ['status 204', ({ response }) => response.writeHead(204).end(), /no S3 \(204/],
  ['very many tags', listing('<a/>'.repeat(200_000)), /too large/],
  ['more bytes than any listing has', listing(`<a>${' '.repeat(5_000_000)}</a>`), /more than 4194304 bytes/],
])(
  'a listing with %s is an error',
  async (_title, script, pattern) => {
    const { outcome } = await listed(script);
    expect(outcome).toMatchObject({ name: 'StorageError', failure: 'unavailable' });
    expect((outcome as Error).message).toMatch(pattern);
  },
  20_000,
);

/** Pages that come again and again, with ever new tokens. */
function circle(pages: string[]): Script {
  let turn = 0;
  return (exchange) => {
    turn += 1;
    return listing(more(`${turn}`, pages[turn % pages.length] ?? ''))(exchange);
  };
}

test.each([
  ['encodes what it echoes', (text: string) => text.replace(`p q/${WINDOW}`, `p+q%2F${WINDOW}`)],
  ['does not encode what it echoes', (text: string) => text],
  ['says no delimiter', (text: string) => text.replace(/<Delimiter>.*?<\/Delimiter>/, '')],
  [
    'says no encoding',
    (text: string) => text.replace(/<EncodingType>.*?<\/EncodingType>/, '<EncodingType/>'),
  ],
  ['goes by folders', (text: string) => text.replaceAll('orders-eu/1', 'orders/1')],
])('a listing that %s is believed', async (_title, change) => {
  const keys = [`p q/${WINDOW}orders-eu/1`, `p q/${WINDOW}orders/2`];
  const { outcome } = await listed(listing(contents(...keys), change), 'p q/');
  expect(outcome).toMatchObject([[{ size: 3 }, { name: `${WINDOW}orders/2` }]]);
});

test('keys may come by their bytes or folder by folder, and not by both', async () => {
  const [a, b, c] = [`${WINDOW}a-b`, `${WINDOW}a/b`, `${WINDOW}a/c`].map((each) => each);
  for (const keys of [
    [a, b, c],
    [b, c, a],
  ]) {
    expect((await listed(listing(contents(...(keys as string[]))))).outcome).toHaveLength(1);
  }
  const both = listing(contents(a ?? '', b ?? '', a ?? ''));
  expect((await listed(both)).outcome).toMatchObject({ failure: 'unavailable' });
}, 20_000);

test('a folder of a listing that is no first segment is an error', async () => {
  for (const folder of ['expires-1/2/', 'other/', 'expires-1']) {
    const server = await scriptedServer(listing(folders(folder)));
    const asking = all(server.driver().listLevel('expires-', never()));
    await expect(asking).rejects.toThrow(/the listing cannot be believed/);
  }
  const ignored = await scriptedServer(listing(contents(first)));
  const asking = all(ignored.driver().listLevel('expires-', never()));
  await expect(asking).rejects.toThrow(/does not fit the delimiter/);
}, 30_000);

test('behind a prefix no request asks for an empty segment', async () => {
  const server = await scriptedServer(({ path, response }) => {
    const found = path.includes('prefix=p%2Fblobs&') ? folders('p/blobs/') : folders();
    response.end(listingFor(path, path.includes('delimiter') ? found : ''));
  });
  const driver = server.driver({ prefix: 'p/' });
  expect(await all(usage(driver, never()))).toEqual([]);
  expect(await all(driver.listLevel('', never()))).toEqual([]);
  expect(await all(driver.list('/blobs/', never()))).toEqual([]);
  const asked = server.asked.map(({ path }) => decodeURIComponent(path));
  expect(asked).not.toEqual([]);
  for (const path of asked) expect(path).not.toContain('//');
});
