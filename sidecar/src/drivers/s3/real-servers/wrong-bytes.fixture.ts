import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { expect, test } from 'vitest';
import { TRIAL_NAME, tryChecksum } from '../../../storage-records/write-check/write-trial.ts';
import { factsOf, inChunks, never, putInto, someBytes } from '../../conformance/subject.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import { storeIn } from './store.fixture.ts';

const bytes = someBytes(100_000);
const others = someBytes(100_000, 'others');

/** @param areRefused whether the server compares bodies with the checksum in their headers */
export function describeWrongBytes(server: S3Server | undefined, { areRefused }: { areRefused: boolean }) {
  test(`the trial finds that wrong bytes are ${areRefused ? 'refused' : 'taken'}`, async () => {
    const running = server as S3Server;
    const location = await running.newBucket();
    const client = new AwsSdkClient(location, running.credentialsFolder);
    const signal = never();
    expect(await client.tryChecksum(TRIAL_NAME, signal)).toBe(areRefused);
    expect(await client.head(TRIAL_NAME, signal)).toEqual(areRefused ? undefined : expect.anything());
    const options = { ifAbsent: true, signal };
    // Where the server compares no checksum, the signature holds the body's hash.
    const refused = await client.put('altered', [others], factsOf(bytes), options).catch(client.faultOf);
    const { stores, status } = { stores: await client.head('altered', signal), ...Object(refused) };
    if (areRefused) expect({ stores, status }).toEqual({ stores: undefined, status: 400 });
    expect(await client.put('whole', [bytes], factsOf(bytes), options)).toBe('stored');
    client.close();
  });

  test.each(areRefused ? [100_000, 9 * 1024 * 1024] : [])(
    '%i bytes are stored after the trial',
    async (size) => {
      const running = server as S3Server;
      const { driver, stop } = storeIn(running, await running.newBucket());
      await tryChecksum(driver, never());
      const body = someBytes(size);
      const put = () => putInto(driver, 'payload', inChunks(body), factsOf(body), { signal: never() });
      expect(await put()).toBe('created');
      expect(await put()).toBe('existed');
      await stop();
    },
  );
}
