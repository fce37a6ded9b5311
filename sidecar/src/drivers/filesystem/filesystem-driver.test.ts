import { describeDriver } from '../conformance.ts';
import { startInFolder } from './folder.fixture.ts';

describeDriver({
  name: 'filesystem',
  capabilities: {
    damage: true,
    leftovers: true,
    openResources: true,
    deletedNamesAreExact: true,
    emptyFoldersVanish: true,
    digestsAreKept: true,
    leadingSlashesAreListed: true,
    putsLetRead: true,
  },
  start: startInFolder,
});
