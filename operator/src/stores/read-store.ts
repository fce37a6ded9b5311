import {
  API_VERSION,
  KIND,
  type LargePayloadStore,
  type LargePayloadStoreStatus,
  ManifestError,
  type Problem,
  readLargePayloadStore,
} from '@largepayload/crds';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { at, listAt, textAt } from './json-fields.ts';

export type StoreSpec = LargePayloadStore['spec'];
export type Condition = NonNullable<LargePayloadStoreStatus['conditions']>[number];

/** A LargePayloadStore as the operator reads it. */
export interface StoreResource {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly deleting: boolean;
  /** with every default; `undefined`: `problems` says why */
  readonly spec: StoreSpec | undefined;
  readonly problems: readonly Problem[];
  /** what was written last, as far as it can be read */
  readonly status: LargePayloadStoreStatus;
}

/**
 * Judges a resource as its pods will judge their manifest. The API server checks most of it, but not what an older CRD let
 * pass. Fields that this version does not know are left out, as a newer CRD may come before its operator.
 */
export function readStore(resource: KubernetesObject): StoreResource {
  const { namespace = '', name, uid = '', generation = 0, deletionTimestamp } = resource.metadata;
  const identity = { namespace, name, uid, generation, deleting: deletionTimestamp !== undefined };
  const manifest = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec: structuredClone(resource.spec),
  };
  const judged = judge(manifest);
  return { ...identity, ...judged, status: readStatus(resource.status) };
}

type Judged = Pick<StoreResource, 'spec' | 'problems'>;

function judge(manifest: Readonly<Record<string, unknown>>): Judged {
  const first = parse(manifest);
  const unknown = first.problems.filter(isUnknownField);
  if (unknown.length === 0) return first;
  for (const { path } of unknown) removeField(manifest, path.split('.'));
  return parse(manifest);
}

function parse(manifest: Readonly<Record<string, unknown>>): Judged {
  try {
    return {
      spec: readLargePayloadStore(manifest, 'the resource', { allowReservedPrefix: true }).spec,
      problems: [],
    };
  } catch (error) {
    if (error instanceof ManifestError) return { spec: undefined, problems: error.problems };
    throw error;
  }
}

function isUnknownField({ path, message }: Problem): boolean {
  return message.startsWith('unknown field') && /^[\w.-]+$/.test(path);
}

function removeField(manifest: object, path: readonly string[]): void {
  const parent = at(manifest, ...path.slice(0, -1));
  const field = path.at(-1);
  if (typeof parent === 'object' && parent !== null && field !== undefined)
    Reflect.deleteProperty(parent, field);
}

function readStatus(status: unknown): LargePayloadStoreStatus {
  const storageID = textAt(status, 'storageID');
  const lastCompletedTime = textAt(status, 'retention', 'lastCompletedTime');
  return {
    ...(typeof status === 'object' && status !== null ? status : {}),
    ...(storageID !== undefined && { storageID }),
    retention: { ...(lastCompletedTime !== undefined && { lastCompletedTime }) },
    conditions: listAt(status, 'conditions').filter(isCondition),
  };
}

function isCondition(value: unknown): value is Condition {
  const status = textAt(value, 'status') ?? '';
  return (
    textAt(value, 'type') !== undefined &&
    ['True', 'False', 'Unknown'].includes(status) &&
    textAt(value, 'reason') !== undefined &&
    typeof at(value, 'message') === 'string' &&
    textAt(value, 'lastTransitionTime') !== undefined
  );
}
