import { expect, test } from 'vitest';
import { CollectedBody } from '../../bytes/collected-body.ts';
import { factsOf, inChunks, never, putInto, someBytes, someName } from '../conformance/subject.ts';
import { MemoryClient } from './memory-client.fixture.ts';
import type { ObjectBody } from './object-store-client.ts';
import { ObjectStoreDriver } from './object-store-driver.ts';

const MIB = 1024 * 1024;

type Outcome = 'lost' | 'refused' | 'broken';

/** Fails some puts, and goes on holding the bodies of all, as a connection that was given up might. */
class LingeringClient extends MemoryClient {
  readonly bodies: (readonly Buffer[])[] = [];
  /** the bytes of the bodies when their puts began */
  readonly copies: Buffer[] = [];
  /** of the next puts */
  outcomes: Outcome[] = [];

  override async put(...[key, body, facts, options]: Parameters<MemoryClient['put']>) {
    this.bodies.push(body as readonly Buffer[]);
    this.copies.push(Buffer.concat(body as readonly Buffer[]));
    const outcome = this.outcomes.shift();
    if (outcome === 'refused') return outcome;
    if (outcome !== undefined) throw new Error(outcome);
    return await super.put(key, body as ObjectBody, facts, options);
  }

  /** A lost answer lets the put try again. */
  override faultOf(error?: unknown) {
    const isLost = (error as Error).message === 'lost';
    return (isLost ? { status: undefined, code: 'ECONNRESET', message: '' } : undefined) as undefined;
  }
}

const bodyOf = (pieces: readonly Buffer[] | undefined) => Buffer.concat(pieces ?? []);

test.each([128_000, MIB, 3 * MIB])(
  'the memory of a body of %i bytes is used again only if a single request stored it',
  async (size) => {
    const client = new LingeringClient();
    const driver = new ObjectStoreDriver(client, { prefix: '' });
    const put = (seed: string) => {
      const bytes = someBytes(size, seed);
      return putInto(driver, someName(seed), inChunks(bytes), factsOf(bytes));
    };
    client.outcomes = ['lost'];
    await put('sent again');
    client.outcomes = ['refused', 'refused', 'refused'];
    await put('refused');
    client.outcomes = ['broken'];
    await expect(put('failed')).rejects.toThrow('broken');
    const lingering = client.bodies.length;
    expect(lingering).toBe(7);
    for (let index = 0; index < 4; index += 1) await put(`later ${index}`);
    for (const [index, pieces] of client.bodies.slice(0, lingering).entries())
      expect(bodyOf(pieces).equals(client.copies[index] as Buffer), `body ${index}`).toBe(true);
    const later = client.bodies.slice(lingering).map((pieces) => pieces[0]?.buffer);
    expect(new Set(later).size).toBeLessThan(later.length);
    for (const seed of ['sent again', 'later 0', 'later 3'])
      expect(client.objects.get(someName(seed))?.bytes.equals(someBytes(size, seed)), seed).toBe(true);
  },
);

test('an aborted body is not used again while its request may read it', async () => {
  const client = new LingeringClient();
  const driver = new ObjectStoreDriver(client, { prefix: '' });
  const bytes = someBytes(MIB);
  const stop = new AbortController();
  const store = client.put.bind(client);
  client.put = async (...args) => {
    await store(...args);
    stop.abort(new Error('the client left'));
    stop.signal.throwIfAborted();
    return 'stored';
  };
  const facts = factsOf(bytes);
  await putInto(driver, someName('aborted'), inChunks(bytes), facts, { signal: stop.signal }).catch(() => {});
  client.put = store;
  const other = someBytes(MIB, 'other');
  await putInto(driver, someName('other'), inChunks(other), factsOf(other), { signal: never() });
  expect(bodyOf(client.bodies[0]).equals(bytes)).toBe(true);
});

test.each([
  [0, 0, 0],
  [1, 1, 1],
  [MIB, 1, MIB],
  [MIB + 1, 3, 1.5 * MIB],
  [8 * MIB, 16, 8 * MIB],
])('a body of %i bytes has %i pieces, and takes %i bytes of memory', (size, pieces, memory) => {
  const bytes = someBytes(size);
  const body = new CollectedBody(size);
  for (let from = 0; from < size; from += 99_991) body.add(bytes.subarray(from, from + 99_991));
  expect(body.pieces.length).toBe(pieces);
  expect(bodyOf(body.pieces).equals(bytes)).toBe(true);
  expect(CollectedBody.memoryFor(size)).toBe(memory);
  const held = body.pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  expect(held).toBeLessThanOrEqual(memory);
});
