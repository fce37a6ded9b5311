import { at, countAt, listAt, textAt } from '@largepayload/crds';
import type { KubernetesObject, ResourceKind } from '../../kubernetes/api.ts';
import { CONFIG_HASH, OBJECT_HASH, STORE_LABEL } from '../labels.ts';
import type { ObservedObject } from '../observed.ts';

/** Enough of any object; its metadata suffices (`PartialObjectMetadata`). */
export function mapObject(resource: ResourceKind, { metadata }: KubernetesObject): ObservedObject {
  return {
    resource,
    namespace: textAt(metadata, 'namespace') ?? '',
    name: textAt(metadata, 'name') ?? '',
    uid: textAt(metadata, 'uid') ?? '',
    resourceVersion: textAt(metadata, 'resourceVersion') ?? '',
    ...(at(metadata, 'generation') !== undefined && { generation: countAt(metadata, 'generation') }),
    store: textAt(metadata, 'labels', STORE_LABEL),
    controller: textAt(
      listAt(metadata, 'ownerReferences').find(({ controller }) => controller === true),
      'uid',
    ),
    deleting: textAt(metadata, 'deletionTimestamp') !== undefined,
    objectHash: textAt(metadata, 'annotations', OBJECT_HASH),
    configHash: textAt(metadata, 'annotations', CONFIG_HASH),
  };
}
