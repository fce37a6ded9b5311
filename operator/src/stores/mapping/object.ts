import { at, countAt, listAt, textAt } from '@largepayload/crds';
import type { KubernetesObject, ResourceKind } from '../../kubernetes/api.ts';
import { CONFIG_MAPS } from '../../kubernetes/resources.ts';
import { CONFIG_HASH, OBJECT_HASH, STORE_LABEL, STORE_NAMESPACE_LABEL } from '../labels.ts';
import { publishedCaMapName } from '../names.ts';
import type { ObservedObject } from '../observed.ts';

/** Enough of any object; its metadata suffices (`PartialObjectMetadata`). */
export function mapObject(resource: ResourceKind, { metadata }: KubernetesObject): ObservedObject {
  const namespace = textAt(metadata, 'namespace') ?? '';
  const name = textAt(metadata, 'name') ?? '';
  const store = textAt(metadata, 'labels', STORE_LABEL);
  return {
    ...{ resource, namespace, name, store },
    storeNamespace: publishedFrom(resource, metadata) ?? namespace,
    uid: textAt(metadata, 'uid') ?? '',
    resourceVersion: textAt(metadata, 'resourceVersion') ?? '',
    ...(at(metadata, 'generation') !== undefined && { generation: countAt(metadata, 'generation') }),
    controller: textAt(
      listAt(metadata, 'ownerReferences').find(({ controller }) => controller === true),
      'uid',
    ),
    deleting: textAt(metadata, 'deletionTimestamp') !== undefined,
    objectHash: textAt(metadata, 'annotations', OBJECT_HASH),
    configHash: textAt(metadata, 'annotations', CONFIG_HASH),
  };
}

/** Any object of any namespace may have our labels, so the kind and the name have to fit too. */
function publishedFrom(resource: ResourceKind, metadata: unknown): string | undefined {
  const store = textAt(metadata, 'labels', STORE_LABEL) ?? '';
  const namespace = textAt(metadata, 'labels', STORE_NAMESPACE_LABEL);
  const isPublished =
    resource === CONFIG_MAPS &&
    namespace !== undefined &&
    textAt(metadata, 'name') === publishedCaMapName(store, namespace);
  return isPublished ? namespace : undefined;
}
