import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allow, createUser } from '@largepayload/testing/s3-servers/versitygw-users';
import { inject } from 'vitest';
import type { StoreBed } from '../fixtures/store.fixture.ts';

type Right = 's3:ListBucket' | 's3:GetObject' | 's3:PutObject';

/** A user of the S3 server with rights in the bed's bucket only. A Secret has its credentials. */
export class S3User {
  readonly #bed: StoreBed;
  readonly #name: string;

  private constructor(bed: StoreBed, name: string) {
    this.#bed = bed;
    this.#name = name;
  }

  /** @param secret the Secret's name */
  static async make(bed: StoreBed, secret: string): Promise<S3User> {
    const folder = mkdtempSync(join(tmpdir(), 's3-user-'));
    const name = bed.namespace;
    try {
      await createUser({ endpoint: inject('kubernetesSuite').endpoint, folder }, name);
    } finally {
      rmSync(folder, { recursive: true });
    }
    await bed.applySecret(secret, name, `${name}-secret`);
    return new S3User(bed, name);
  }

  /** Replaces the user's rights by these. */
  async mayOnly(...rights: readonly Right[]): Promise<void> {
    const Statement = rights.map((Action) => ({
      Effect: 'Allow',
      Action,
      Resource: `arn:aws:s3:::example-payloads${Action === 's3:ListBucket' ? '' : '/*'}`,
    }));
    const { s3: client, bucket } = this.#bed;
    await allow({ client }, bucket, { [this.#name]: JSON.stringify({ Statement }) });
  }
}
