import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { describeDriver } from '../conformance.ts';
import { factsOf, inChunks, never, putInto } from './subject.ts';

describeDriver({
  name: 'memory',
  capabilities: {
    damage: true,
    leftovers: 'memory has no temporary objects',
    openResources: 'memory holds nothing open',
    deletedNamesAreExact: true,
    emptyFoldersVanish: true,
    digestsAreKept: true,
    leadingSlashesAreListed: true,
    putsLetRead: true,
  },
  start: async () => {
    const driver = new MemoryDriver(256 * 1024 * 1024);
    const damage = async (name: string, bytes: Buffer) => {
      await driver.delete([name], never());
      await putInto(driver, name, inChunks(bytes), factsOf(bytes), { signal: never() });
    };
    return { driver, damage, stop: () => driver.close() };
  },
});
