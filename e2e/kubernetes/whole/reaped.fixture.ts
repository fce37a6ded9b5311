import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { CLUSTER_NAME } from '../fixtures/names.fixture.ts';
import type { StoreBed } from '../fixtures/store.fixture.ts';

const FILE = join(outputFolder, `whole.${CLUSTER_NAME}.json`);

/** Leaves the bed to `reaped.test.ts`, which runs last: payloads expire while other tests run. */
export function handOver({ namespace }: StoreBed): void {
  writeFileSync(FILE, JSON.stringify({ namespace }));
}

/** @returns the namespace of the bed @throws Error when there is none */
export function takeOver(): string {
  if (!existsSync(FILE)) throw new Error('whole.test.ts, which stores the payloads, has to run before');
  return JSON.parse(readFileSync(FILE, 'utf8')).namespace;
}

/** The number of payloads in the bed's bucket, up to 1,000. The records of the service do not expire. */
export async function storedPayloads({ s3, bucket }: StoreBed): Promise<number> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.filter(({ Key }) => /^\/?expires-/.test(Key ?? '')).length;
}
