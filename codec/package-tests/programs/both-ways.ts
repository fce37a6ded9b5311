// Loads the package both ways into one process, as happens when an application's libraries differ.
import { createRequire } from 'node:module';
import * as imported from '@largepayload/codec';

const require = createRequire(import.meta.url);
const required: typeof imported = require('@largepayload/codec');

const malformed = { metadata: { [required.referenceMarker]: new TextEncoder().encode('v9') } };
const failure = await new required.LargePayloadCodec().decode([malformed]).catch((thrown: unknown) => thrown);

const facts = {
  importedNames: Object.keys(imported).sort(),
  requiredNames: Object.keys(required).sort(),
  isInstance: failure instanceof imported.PayloadReferenceError,
  othersLoaded: Object.keys(require.cache).filter((file) => !file.includes('/@largepayload/codec/dist/')),
};
console.log(JSON.stringify(facts));
