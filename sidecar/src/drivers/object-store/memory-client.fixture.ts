import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { bytesOf, sourceOf } from '../../bytes/byte-streams.ts';
import { failureTable } from './common-failures.ts';
import type {
  ListAnswer,
  ListQuery,
  ObjectAnswer,
  ObjectBody,
  ObjectHead,
  ObjectStoreClient,
} from './object-store-client.ts';

/** The smallest client: an object store that never fails, and whose answers need no proof. */
export class MemoryClient implements ObjectStoreClient {
  readonly kind = 'object-store-in-memory';
  readonly place = 'the object store in memory';
  readonly failures = failureTable();
  readonly objects = new Map<string, { readonly bytes: Buffer; readonly digest: string }>();

  async put(
    key: string,
    body: ObjectBody,
    { digest }: BlobFacts,
    { ifAbsent, signal }: { ifAbsent: boolean; signal: AbortSignal },
  ): Promise<'stored' | 'refused'> {
    const bytes = await bytesOf('readInto' in body ? body : sourceOf(body));
    signal.throwIfAborted();
    if (ifAbsent && this.objects.has(key)) return 'refused';
    this.objects.set(key, { bytes, digest });
    return 'stored';
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const object = this.objects.get(key);
    return object && { size: object.bytes.length, digest: object.digest };
  }

  async get(key: string): Promise<ObjectAnswer> {
    const bytes = this.objects.get(key)?.bytes;
    const date = Math.floor(Date.now() / 1_000) * 1_000;
    const close = async () => {};
    return { object: bytes && { size: bytes.length, body: { ...sourceOf([bytes]), close } }, date };
  }

  async list({ prefix, byFolder = false, limit = 1_000, from = '' }: ListQuery): Promise<ListAnswer> {
    const entryOf = (key: string) => {
      const slash = byFolder ? key.indexOf('/', prefix.length) : -1;
      return slash < 0 ? key : key.slice(0, slash + 1);
    };
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    const entries = [...new Set(keys.map(entryOf))].filter((entry) => entry > from).sort();
    const page = entries.slice(0, limit);
    return {
      objects: page.flatMap((key) => {
        const size = this.objects.get(key)?.bytes.length;
        return size === undefined ? [] : [{ name: key, size }];
      }),
      folders: page.filter((key) => !this.objects.has(key)),
      next: entries.length > limit ? page.at(-1) : undefined,
    };
  }

  async deleteObject(key: string): Promise<void> {
    this.objects.delete(key);
  }

  async keepsVersions(): Promise<boolean> {
    return false;
  }

  faultOf(): undefined {
    return undefined;
  }

  close(): void {}
}
