import { describe } from 'vitest';
import { factsOf } from '../conformance/subject.ts';
import { describeDriver } from '../conformance.ts';
import { MemoryClient } from './memory-client.fixture.ts';
import { ObjectStoreDriver } from './object-store-driver.ts';

describe.each([
  ['whose bodies are collected', undefined],
  ['whose bodies are streamed', 0],
])('on the smallest client, %s', (how, inMemoryLimit) => {
  describeDriver({
    name: `object store (${how})`,
    capabilities: {
      damage: true,
      leftovers: 'the client has nothing of an object before it is whole',
      openResources: 'the client holds nothing open',
      deletedNamesAreExact: 'the client does not tell whether what it deleted was there',
      emptyFoldersVanish: true,
      digestsAreKept: true,
      leadingSlashesAreListed: true,
      putsLetRead: true,
    },
    start: async () => {
      const client = new MemoryClient();
      const driver = new ObjectStoreDriver(client, {
        prefix: 'a prefix/',
        ...(inMemoryLimit === undefined ? {} : { inMemoryLimit }),
      });
      const damage = async (name: string, bytes: Buffer) => {
        client.objects.set(`a prefix/${name}`, { bytes, digest: factsOf(bytes).digest });
      };
      return { driver, damage, stop: () => driver.close() };
    },
  });
});
