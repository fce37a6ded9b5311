import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { desiredObjects } from './desired-objects.ts';
import { BUNDLE, ON_A_VOLUME, S3_WITH_EVERYTHING, SETTINGS, store } from './stores.fixture.ts';

const VOLUME_MINIMAL = { storage: ON_A_VOLUME.storage, retention: { ttl: 'Forever' } };

/** What the operator makes, for people to read. `UPDATE_GOLDEN=1 npx vitest run operator/src/stores/golden.test.ts` writes it anew. */
test.each([
  ['s3-with-everything', S3_WITH_EVERYTHING],
  ['filesystem-minimal', VOLUME_MINIMAL],
])('the objects of %s are those in testdata', async (name, spec) => {
  const file = new URL(`testdata/${name}.yaml`, import.meta.url);
  const documents = desiredObjects(store(spec), { ...SETTINGS, bundle: BUNDLE }).map(({ object }) =>
    stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 }),
  );
  const text = documents.join('---\n');
  if (process.env.UPDATE_GOLDEN === '1') await writeFile(file, text);
  expect(text).toBe(await readFile(file, 'utf8'));
});
