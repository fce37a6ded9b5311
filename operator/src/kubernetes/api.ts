/** A kind of object, and where the API server keeps it. */
export interface ResourceKind {
  /** `''`: the core group */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** in URLs: lower case, plural */
  readonly plural: string;
}

interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** An object as JSON. Typed models would drop the fields they do not know. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** `Bookmark` carries a resourceVersion only. Errors that the API server sends within a watch are thrown as `ApiError`. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubernetesObject;
}

/** The objects that a list or a watch covers. */
export interface Selection {
  readonly resource: ResourceKind;
  /** `undefined`: all namespaces */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Asks for `PartialObjectMetadata`: less to send, to parse and to keep. */
  readonly metadataOnly?: boolean;
}

export interface WatchStart {
  readonly resourceVersion: string;
  /** Whole seconds after which the server is to end it. */
  readonly timeoutSeconds: number;
  /** Called when the server has agreed; the first event may be a minute away. */
  readonly onOpen?: () => void;
}

export interface PageRequest {
  readonly limit: number;
  readonly continue?: string | undefined;
}

export interface Page {
  readonly items: readonly KubernetesObject[];
  readonly resourceVersion: string;
  readonly continue: string | undefined;
}

export interface ApplyOptions {
  /** takes over fields that others own; without it they are a conflict */
  readonly force: boolean;
}

export interface ObjectName {
  readonly resource: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}

export type PodName = Pick<ObjectName, 'namespace' | 'name'>;

/** The API server answered a failure (its `Status`), or could not be reached (`status` 0). */
export class ApiError extends Error {
  /** HTTP status; 0: no answer */
  readonly status: number;
  /** `NotFound`, `Conflict`, `Expired`, …, as the API server names it */
  readonly reason: string;
  /** when the server asks to come again */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    facts: { status: number; reason?: string; retryAfterSeconds?: number | undefined },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ApiError';
    this.status = facts.status;
    this.reason = facts.reason ?? '';
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/**
 * The calls of the Kubernetes API that the operator makes. Every call rejects with `ApiError`, or with the signal's
 * reason when that is aborted, and has a time limit of its own.
 */
export interface KubernetesApi {
  /** One page; `continue` leads to the next. */
  list(selection: Selection, page: PageRequest, signal: AbortSignal): Promise<Page>;
  /** Ends when the server ends it, as it does after `timeoutSeconds`. Bookmarks are asked for. */
  watch(selection: Selection, from: WatchStart, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** `undefined`: there is no such object */
  get(name: ObjectName, signal: AbortSignal): Promise<KubernetesObject | undefined>;
  /** Server-side apply by this operator's field manager; fields of others are left alone. @throws ApiError 409 `Conflict` */
  apply(
    resource: ResourceKind,
    object: KubernetesObject,
    options: ApplyOptions,
    signal: AbortSignal,
  ): Promise<KubernetesObject>;
  /** Strategic merge patch: changes the fields that it has; directives in it say how lists are merged. */
  patch(resource: ResourceKind, part: KubernetesObject, signal: AbortSignal): Promise<KubernetesObject>;
  /**
   * Server-side apply of the `status` subresource, by force.
   * @param fieldManager owner of the fields, where that is not this operator's
   */
  applyStatus(
    resource: ResourceKind,
    object: KubernetesObject,
    signal: AbortSignal,
    fieldManager?: string,
  ): Promise<KubernetesObject>;
  /** @throws ApiError 409 `AlreadyExists` */
  create(resource: ResourceKind, object: KubernetesObject, signal: AbortSignal): Promise<KubernetesObject>;
  /** Replaces the object if that has the `resourceVersion` given here. @throws ApiError 409 `Conflict` when it has changed since */
  replace(resource: ResourceKind, object: KubernetesObject, signal: AbortSignal): Promise<KubernetesObject>;
  /** An object that is not there counts as deleted. With a UID, only the object that has it is deleted. */
  delete(name: ObjectName, uid: string | undefined, signal: AbortSignal): Promise<void>;
  /**
   * Asks for the end of a pod by the Eviction API, which keeps to PodDisruptionBudgets. A pod that is not there counts as evicted.
   * @throws ApiError 429 `TooManyRequests` when a budget does not allow it now; 409 `Conflict` when the pod has another UID
   */
  evict(pod: PodName, uid: string, signal: AbortSignal): Promise<void>;
}
