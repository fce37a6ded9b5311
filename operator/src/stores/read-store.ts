import {
  API_VERSION,
  AUTHENTICATIONS,
  at,
  KIND,
  type LargePayloadStore,
  type LargePayloadStoreStatus,
  listAt,
  ManifestError,
  type Problem,
  readLargePayloadStore,
  textAt,
} from '@largepayload/crds';
import type { KubernetesObject } from '../kubernetes/api.ts';

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
  /** as it was written last, as far as it can be read */
  readonly status: LargePayloadStoreStatus;
}

/**
 * Reads a resource as its pods read their manifest. The API server has checked most of it, but a resource may be as an older CRD
 * allowed it. Fields that this version does not know are left out, as a newer CRD may come before its operator.
 */
export function readStore(resource: KubernetesObject): StoreResource {
  const { namespace = '', name, uid = '', generation = 0, deletionTimestamp } = resource.metadata;
  const identity = { namespace, name, uid, generation, deleting: deletionTimestamp !== undefined };
  const manifest = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec: resource.spec,
  };
  return { ...identity, ...readSpec(manifest), status: readStatus(resource.status) };
}

function readSpec(manifest: Readonly<Record<string, unknown>>): Pick<StoreResource, 'spec' | 'problems'> {
  try {
    const leniency = { allowReservedPrefix: true, allowUnknownFields: true };
    return { spec: readLargePayloadStore(manifest, 'the resource', leniency).spec, problems: [] };
  } catch (error) {
    if (error instanceof ManifestError) return { spec: undefined, problems: error.problems };
    throw error;
  }
}

function readStatus(status: unknown): LargePayloadStoreStatus {
  const fields: Record<string, unknown> = typeof status === 'object' && status !== null ? { ...status } : {};
  const { authentication: written, ...others } = fields;
  const authentication = AUTHENTICATIONS.find((each) => each === written);
  const storageID = textAt(status, 'storageID');
  const lastCompletedTime = textAt(status, 'retention', 'lastCompletedTime');
  return {
    ...others,
    ...(authentication !== undefined && { authentication }),
    ...(storageID !== undefined && { storageID }),
    retention: { ...(lastCompletedTime !== undefined && { lastCompletedTime }) },
    conditions: listAt(status, 'conditions').filter(isCondition),
  };
}

export function conditionOf({ conditions }: LargePayloadStoreStatus, type: string): Condition | undefined {
  return conditions?.find((each) => each.type === type);
}

function isCondition(value: unknown): value is Condition {
  const isComplete = ['type', 'reason', 'lastTransitionTime'].every((field) => textAt(value, field));
  const hasStatus = ['True', 'False', 'Unknown'].includes(textAt(value, 'status') ?? '');
  return isComplete && hasStatus && typeof at(value, 'message') === 'string';
}
