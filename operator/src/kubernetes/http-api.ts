import type { IncomingMessage } from 'node:http';
import {
  ApiError,
  type ApplyOptions,
  type KubernetesApi,
  type KubernetesObject,
  type ObjectName,
  type Page,
  type PageRequest,
  type PodName,
  type ResourceKind,
  type Selection,
  type WatchEvent,
  type WatchStart,
} from './api.ts';
import { refusal, unanswered, watchRefusal } from './api-failures.ts';
import { type Access, collect, type HttpRequest, send } from './http-exchange.ts';
import { JsonLines } from './json-lines.ts';
import { accepted, FIELD_MANAGER, resourcePath, selectionPath, withQuery } from './resource-path.ts';
import { kindOf, PODS } from './resources.ts';
import { withinLimit } from './time-limit.ts';

/** For a call; for a watch, until the head of its answer. */
const CALL_LIMIT_MS = 30_000;
const LARGEST_ANSWER = 16 * 1024 * 1024;
/** bytes; etcd takes objects of up to 1.5 MiB, which are longer as JSON */
const LARGEST_EVENT = 8 * 1024 * 1024;

type Verb = 'list' | 'watch' | 'get' | 'delete' | 'evict' | keyof typeof WRITES;

/** A call that was answered or has failed. A watch counts as answered when it begins. */
export interface RequestOutcome {
  readonly verb: Verb;
  /** plural */
  readonly resource: string;
  /** HTTP status; 0: no answer */
  readonly status: number;
  readonly seconds: number;
  /** the header `Date`: the time of the API server */
  readonly date: string | undefined;
}

export interface HttpApiOptions {
  readonly userAgent: string;
  readonly onRequest?: ((outcome: RequestOutcome) => void) | undefined;
}

interface Call {
  readonly verb: Verb;
  readonly resource: ResourceKind;
  /** named in messages */
  readonly of: string;
  readonly method: string;
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly content?: unknown;
}

interface ListAnswer {
  readonly items?: readonly KubernetesObject[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

const one = (name: string) => [name];
const APPLY = { method: 'PATCH', contentType: 'application/apply-patch+yaml' };
/** `rest`: of the path, behind that of the collection */
const WRITES = {
  apply: { ...APPLY, rest: one },
  applyStatus: { ...APPLY, rest: (name: string) => [name, 'status'] },
  patch: { method: 'PATCH', contentType: 'application/strategic-merge-patch+json', rest: one },
  create: { method: 'POST', rest: () => [] },
  replace: { method: 'PUT', rest: one },
};

/** The API by plain JSON over HTTP/1.1: fields that this version does not know pass through. Nothing is retried. */
export class HttpApi implements KubernetesApi {
  readonly #access: Access;
  readonly #options: HttpApiOptions;

  constructor(access: Access, options: HttpApiOptions) {
    this.#access = access;
    this.#options = options;
  }

  async list(selection: Selection, page: PageRequest, signal: AbortSignal): Promise<Page> {
    const call: Call = {
      ...{ verb: 'list', method: 'GET', resource: selection.resource, of: selection.namespace ?? '' },
      path: selectionPath(selection, { ...page }),
      accept: accepted(selection, 'List'),
    };
    const answer = (await this.#call(call, signal)) as ListAnswer;
    // Items of a list have no kind, and items of a list of metadata have another kind.
    const items = (answer.items ?? []).map((item) => ({ ...item, ...kindOf(selection.resource) }));
    const { resourceVersion, continue: next } = answer.metadata;
    return { items, resourceVersion, continue: next || undefined };
  }

  async *watch(
    selection: Selection,
    { resourceVersion, timeoutSeconds, onOpen }: WatchStart,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const { resource } = selection;
    const query = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds };
    const call: Call = {
      ...{ verb: 'watch', method: 'GET', resource, of: selection.namespace ?? '' },
      path: selectionPath(selection, query),
      accept: accepted(selection, ''),
    };
    const message = await this.#answered(call, (answer) => answer, signal);
    const onAbort = () => message.destroy(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      signal.throwIfAborted();
      onOpen?.();
      const lines = new JsonLines(LARGEST_EVENT);
      for await (const chunk of message as AsyncIterable<Buffer>) {
        for (const line of lines.push(chunk)) yield toEvent(line, resource, nameOf(call));
      }
      lines.end();
    } catch (error) {
      throw this.#failure(call, error, signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      message.destroy();
    }
  }

  async get(name: ObjectName, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    try {
      return (await this.#call(callOf('get', 'GET', name), signal)) as KubernetesObject;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async apply(resource: ResourceKind, object: KubernetesObject, how: ApplyOptions, signal: AbortSignal) {
    return await this.#write('apply', resource, object, signal, { force: String(how.force) });
  }

  async patch(resource: ResourceKind, part: KubernetesObject, signal: AbortSignal) {
    return await this.#write('patch', resource, part, signal);
  }

  async applyStatus(
    resource: ResourceKind,
    object: KubernetesObject,
    signal: AbortSignal,
    fieldManager = FIELD_MANAGER,
  ) {
    return await this.#write('applyStatus', resource, object, signal, { fieldManager, force: 'true' });
  }

  async create(resource: ResourceKind, object: KubernetesObject, signal: AbortSignal) {
    return await this.#write('create', resource, object, signal);
  }

  async replace(resource: ResourceKind, object: KubernetesObject, signal: AbortSignal) {
    return await this.#write('replace', resource, object, signal);
  }

  async delete(name: ObjectName, uid: string | undefined, signal: AbortSignal): Promise<void> {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    const how = { propagationPolicy: 'Background', ...preconditions };
    const content = { apiVersion: 'v1', kind: 'DeleteOptions', ...how };
    try {
      await this.#call({ ...callOf('delete', 'DELETE', name), content }, signal);
    } catch (error) {
      if (isNotFound(error)) return;
      const isOfAnother = uid !== undefined && error instanceof ApiError && error.status === 409;
      if (isOfAnother && (await this.get(name, signal))?.metadata.uid !== uid) return;
      throw error;
    }
  }

  async evict({ namespace, name }: PodName, uid: string, signal: AbortSignal): Promise<void> {
    const path = resourcePath(PODS, namespace, name, 'eviction');
    const deleteOptions = { preconditions: { uid } };
    const content = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { namespace, name },
      deleteOptions,
    };
    const pod = { resource: PODS, namespace, name };
    try {
      await this.#call({ ...callOf('evict', 'POST', pod), path, content }, signal);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #write(
    verb: keyof typeof WRITES,
    resource: ResourceKind,
    object: KubernetesObject,
    signal: AbortSignal,
    query: Readonly<Record<string, string>> = {},
  ): Promise<KubernetesObject> {
    const { namespace = '', name } = object.metadata;
    const of = `${namespace}/${name}`;
    const { rest, ...how } = WRITES[verb];
    const path = withQuery(resourcePath(resource, namespace, ...rest(name)), {
      fieldManager: FIELD_MANAGER,
      ...query,
    });
    const call = { ...how, verb, resource, of, path, content: object };
    return (await this.#call(call, signal)) as KubernetesObject;
  }

  async #call(call: Call, signal: AbortSignal): Promise<unknown> {
    const read = async (answer: IncomingMessage) => JSON.parse(await collect(answer, LARGEST_ANSWER));
    return await this.#answered(call, read, signal);
  }

  /** The result of `read` on an answer of success. */
  async #answered<T>(
    call: Call,
    read: (answer: IncomingMessage) => T | Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const started = performance.now();
    let status = 0;
    let date: string | undefined;
    try {
      return await withinLimit(CALL_LIMIT_MS, signal, async (limited) => {
        const answer = await send(this.#access, this.#request(call), limited);
        const { statusCode = 0 } = answer;
        date = answer.headers.date;
        if (statusCode >= 300) throw refusal(nameOf(call), answer, await collect(answer, LARGEST_ANSWER));
        const result = await read(answer);
        status = statusCode;
        return result;
      });
    } catch (error) {
      const failure = this.#failure(call, error, signal);
      if (failure instanceof ApiError) status = failure.status;
      throw failure;
    } finally {
      const seconds = (performance.now() - started) / 1_000;
      const outcome = { verb: call.verb, resource: call.resource.plural, status, seconds, date };
      if (!signal.aborted) this.#options.onRequest?.(outcome);
    }
  }

  #request({ method, path, accept = 'application/json', contentType, content }: Call): HttpRequest {
    const headers = { Accept: accept, 'User-Agent': this.#options.userAgent };
    if (content === undefined) return { method, path, headers };
    const type = { 'Content-Type': contentType ?? 'application/json' };
    return { method, path, headers: { ...headers, ...type }, body: JSON.stringify(content) };
  }

  #failure(call: Call, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return error instanceof ApiError ? error : unanswered(nameOf(call), this.#access.url, error);
  }
}

function toEvent(line: unknown, resource: ResourceKind, what: string): WatchEvent {
  const { type, object } = line as WatchEvent | { type: 'ERROR'; object: object };
  if (type === 'ERROR') throw watchRefusal(what, object);
  return { type, object: { ...object, ...kindOf(resource) } };
}

function callOf(verb: Verb, method: string, { resource, namespace, name }: ObjectName): Call {
  const path = resourcePath(resource, namespace, name);
  return { verb, method, resource, of: `${namespace}/${name}`, path };
}

function nameOf({ verb, resource, of }: Call): string {
  return `${verb} ${resource.plural}${of === '' ? '' : ` ${of}`}`;
}

/** Whether the object is not there; a 404 of a proxy has another reason. */
function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404 && error.reason === 'NotFound';
}
