import { describeDriver } from '../conformance.ts';
import { startInFolder } from './test-folder.ts';

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
  },
  start: startInFolder,
});
