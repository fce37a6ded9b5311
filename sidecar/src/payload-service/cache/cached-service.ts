import type { StoredBlob } from '../../drivers/driver.ts';
import { type BlobKey, parseDigest, parseKey, readKey } from '../../keys/key.ts';
import { versionOneObjectName } from '../../keys/object-name.ts';
import type { GetRequest, PayloadService, PutRequest, PutResult } from '../payload-service.ts';
import { CacheMemory } from './cache-memory.ts';
import type { CachedPayload } from './cached-payload.ts';
import { CopiedBody } from './copied-body.ts';
import { SharedGet } from './shared-get.ts';

export interface CacheSettings {
  /** of all that the cache holds; more than 0 */
  readonly limitBytes: number;
  /** ms since the epoch; an entry is not served after its key's window has ended on this clock */
  readonly now?: () => number;
}

/** What `/metrics` shows of a cache. Counts are since the start. */
export interface CacheFigures {
  /** GETs that needed no request upstream of their own */
  readonly hits: number;
  /** GETs that asked upstream */
  readonly misses: number;
  /** payloads that came into the cache */
  readonly admissions: number;
  /** payloads that left it to make room */
  readonly evictions: number;
  /** answers from upstream with wrong bytes */
  readonly refused: number;
  readonly bytes: number;
  readonly limitBytes: number;
}

/** A payload that is asked for, by what names it in the cache. */
type Wanted = Pick<BlobKey, 'digest' | 'window'> & {
  readonly name: string;
  readonly ask: (request: GetRequest) => Promise<StoredBlob>;
};

/**
 * A cache before another service: payloads under their whole key, in memory, verified once when they come in. Answers that are
 * not a payload are never kept. docs/adr/0021-a-cache-before-a-payload-service.md
 */
export class CachedService implements PayloadService {
  readonly #upstream: PayloadService;
  readonly #memory: CacheMemory;
  readonly #now: () => number;
  readonly #shared = new Map<string, SharedGet>();
  #hits = 0;
  #misses = 0;
  #refused = 0;

  constructor(upstream: PayloadService, { limitBytes, now = Date.now }: CacheSettings) {
    this.#upstream = upstream;
    this.#memory = new CacheMemory(limitBytes);
    this.#now = now;
  }

  get figures(): CacheFigures {
    const { admissions, evictions, bytes, limit: limitBytes } = this.#memory;
    const [hits, misses, refused] = [this.#hits, this.#misses, this.#refused];
    return { hits, misses, admissions, evictions, refused, bytes, limitBytes };
  }

  /** Who wrote a payload usually reads it, so it is kept once it is acknowledged. */
  async put(request: PutRequest): Promise<PutResult> {
    const { facts } = request;
    const body = new CopiedBody(request.body, () => this.#memory.begin(facts));
    try {
      const result = await this.#upstream.put({ ...request, body });
      const key = readKey(result.key);
      const copy = key?.digest === facts.digest ? body.takeCopy() : undefined;
      if (copy !== undefined) this.#admit({ window: key?.window, name: result.key }, copy);
      return result;
    } finally {
      body.dropCopy();
    }
  }

  async get(name: string, request: GetRequest): Promise<StoredBlob> {
    const { digest, window } = parseKey(name);
    const ask = (asked: GetRequest) => this.#upstream.get(name, asked);
    return await this.#get({ name, digest, window, ask }, request);
  }

  /** The digest is the whole name of such a payload, and it never expires. */
  async getVersionOne(digestText: string, request: GetRequest): Promise<StoredBlob> {
    const digest = parseDigest(digestText);
    const ask = (asked: GetRequest) => this.#upstream.getVersionOne(digest, asked);
    return await this.#get({ name: versionOneObjectName(digest), digest, window: undefined, ask }, request);
  }

  async assertUsable(): Promise<void> {
    await this.#upstream.assertUsable();
  }

  async #get(wanted: Wanted, request: GetRequest): Promise<StoredBlob> {
    request.signal.throwIfAborted();
    if (this.#hasEnded(wanted)) this.#memory.remove(wanted.name);
    else {
      const cached = this.#memory.find(wanted.name);
      if (cached !== undefined) {
        this.#hits += 1;
        return cached.open(request.signal);
      }
      if (this.#memory.takes(request.expectedSize)) {
        const found = await this.#getShared(wanted, request);
        if (found !== undefined) return found;
      }
    }
    this.#misses += 1;
    return await wanted.ask(request);
  }

  async #getShared(wanted: Wanted, request: GetRequest): Promise<StoredBlob | undefined> {
    // Upstream may refuse a wrong size, which callers with the right one must not get as their answer.
    const id = `${request.expectedSize} ${wanted.name}`;
    const underWay = this.#shared.get(id);
    if (underWay === undefined) {
      this.#misses += 1;
      return await this.#beginShared(id, wanted, request).join(request.signal);
    }
    const found = await underWay.join(request.signal);
    if (found !== undefined) this.#hits += 1;
    return found;
  }

  #beginShared(id: string, wanted: Wanted, { caller, expectedSize }: GetRequest): SharedGet {
    const { digest } = wanted;
    const shared: SharedGet = new SharedGet({
      ask: (signal) => wanted.ask({ caller, expectedSize, signal }),
      begin: (size) => this.#memory.begin({ size, digest }),
      admit: (payload) => this.#admit(wanted, payload),
      refuse: () => {
        this.#refused += 1;
      },
      close: () => {
        if (this.#shared.get(id) === shared) this.#shared.delete(id);
      },
    });
    this.#shared.set(id, shared);
    return shared;
  }

  #admit(wanted: Pick<Wanted, 'name' | 'window'>, payload: CachedPayload): void {
    if (this.#hasEnded(wanted)) payload.drop();
    else this.#memory.admit(wanted.name, payload);
  }

  #hasEnded({ window }: Pick<Wanted, 'window'>): boolean {
    return window !== undefined && window.end <= this.#now();
  }
}
