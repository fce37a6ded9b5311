import {
  ApiError,
  type KubernetesApi,
  type KubernetesObject,
  type ResourceKind,
  type Selection,
} from '../kubernetes/api.ts';
import { NAMESPACES } from '../kubernetes/resources.ts';
import { withinLimit } from '../kubernetes/time-limit.ts';
import { ABSENT, found, type Objects, type Reading, unreadable } from './reading.ts';

const REQUEST_LIMIT_MS = 10_000;
const PAGE = 200;
/** A person ends the program. */
const NEVER = new AbortController().signal;

/** Reads objects of a cluster. What cannot be read is a `Reading`, and no error. */
export class Reader {
  readonly #api: KubernetesApi;

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Any answer will do, but one. @throws Error when the API server does not answer, or does not know who asks */
  async reach(): Promise<void> {
    const name = { resource: NAMESPACES, namespace: '', name: 'default' };
    try {
      await this.#limited((signal) => this.#api.get(name, signal));
    } catch (error) {
      if (!(error instanceof ApiError) || [0, 401].includes(error.status)) throw error;
    }
  }

  /** @param namespace `''` for objects of the cluster */
  async get(resource: ResourceKind, namespace: string, name: string): Promise<Reading<KubernetesObject>> {
    const right = `get ${resource.plural}${placeText(namespace)}`;
    return await reading(right, async () => {
      const object = await this.#limited((signal) => this.#api.get({ resource, namespace, name }, signal));
      return object === undefined ? ABSENT : found(object);
    });
  }

  async list(selection: Selection, most = 1_000): Promise<Reading<Objects>> {
    const right = `list ${selection.resource.plural}${placeText(selection.namespace ?? '')}`;
    return await reading(right, async () => {
      const items: KubernetesObject[] = [];
      let next: string | undefined;
      do {
        const page = { limit: Math.min(PAGE, most - items.length), continue: next };
        const answer = await this.#limited((signal) => this.#api.list(selection, page, signal));
        items.push(...answer.items);
        next = answer.continue;
      } while (next !== undefined && items.length < most);
      return found({ items, complete: next === undefined });
    });
  }

  async #limited<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return await withinLimit(REQUEST_LIMIT_MS, NEVER, call);
  }
}

async function reading<T>(right: string, read: () => Promise<Reading<T>>): Promise<Reading<T>> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ApiError)) return unreadable(`not read (${right}): ${(error as Error).message}`);
    if (error.status === 403) return unreadable(`not read: you have no right to ${right}`);
    return error.status === 404 ? { kind: 'unserved' } : unreadable(`not read (${right}): ${error.message}`);
  }
}

function placeText(namespace: string): string {
  return namespace === '' ? ' of the cluster' : ` in the namespace ${namespace}`;
}
