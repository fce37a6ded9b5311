import { Integer, Array as ListOf, Object as MapOf, Optional, String as Text } from 'typebox';
import { at } from '../json-fields.ts';
import { isQuantity, parseQuantity } from '../quantity.ts';
import {
  byteSize,
  computeResources,
  LOOKS_LIKE_SIZE,
  NAMESPACE_NAME,
  resourceName,
  SIZE,
  secretReference,
} from './fields.ts';
import { has, type Rule } from './node.ts';
import { FOREVER, RetentionSchema } from './retention.ts';
import { StorageSchema } from './storage.ts';

/** A ReadWriteOnce volume cannot serve pods on two nodes. */
const filesystemHasOneWriter: Rule = {
  cel: '!has(self.storage.filesystem) || !has(self.gateway.replicas) || self.gateway.replicas == 1',
  message: 'filesystem storage has one writer: set spec.gateway.replicas to 1',
  field: 'gateway.replicas',
  holds: (spec) =>
    !has(spec, 'storage', 'filesystem') ||
    !has(spec, 'gateway', 'replicas') ||
    at(spec, 'gateway', 'replicas') === 1,
};

const reaperNeedsTtl: Rule = {
  cel: "self.retention.ttl != 'Forever' || !has(self.reaper)",
  message: 'spec.reaper needs a TTL: with ttl Forever nothing is reaped, so take spec.reaper out',
  field: 'reaper',
  holds: (spec) => at(spec, 'retention', 'ttl') !== FOREVER || !has(spec, 'reaper'),
};

const filesystemHasNoReaper: Rule = {
  cel: '!has(self.storage.filesystem) || !has(self.reaper)',
  message: 'with filesystem storage the gateway pod also reaps',
  field: 'reaper',
  holds: (spec) => !has(spec, 'storage', 'filesystem') || !has(spec, 'reaper'),
};

/** Without the list it is unknown which namespaces to ask Temporal about. */
const temporalNeedsNamespaces: Rule = {
  cel: '!has(self.retention.temporal) || has(self.temporalNamespaces)',
  message: 'retention.temporal needs temporalNamespaces',
  field: 'temporalNamespaces',
  holds: (spec) => !has(spec, 'retention', 'temporal') || has(spec, 'temporalNamespaces'),
};

const SMALLEST_LIMIT = parseQuantity('1Mi');
const LARGEST_LIMIT = parseQuantity('5Gi');

const limitInBounds: Rule = {
  cel: `!${LOOKS_LIKE_SIZE} || (${SIZE}.compareTo(quantity('1Mi')) >= 0 && ${SIZE}.compareTo(quantity('5Gi')) <= 0)`,
  message: 'must lie between 1Mi and 5Gi',
  holds: (limit) => {
    if (!isQuantity(limit)) return true;
    const bytes = parseQuantity(limit);
    return bytes >= SMALLEST_LIMIT && bytes <= LARGEST_LIMIT;
  },
};

const Gateway = MapOf(
  {
    replicas: Optional(
      Integer({
        description: 'Number of gateway pods. Default: 2, or 1 with filesystem storage.',
        format: 'int32',
        minimum: 1,
        maximum: 50,
      }),
    ),
    serviceAccountName: Optional(
      resourceName('Service account of the pods, which must exist. Default: NAME-gateway, created.'),
    ),
    credentialsSecretRef: Optional(
      secretReference(
        'Storage credentials that may put, get and list; the keys are named as the environment variables of ' +
          "the provider's SDK: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary keys, AWS_SESSION_TOKEN. " +
          'Mounted as files and read again on change.',
      ),
    ),
    resources: Optional(computeResources('Compute resources of a gateway pod.')),
  },
  { description: 'The pods that put and get payloads.', default: {} },
);

const Reaper = MapOf(
  {
    serviceAccountName: Optional(
      resourceName('Service account of the pod, which must exist. Default: NAME-reaper, created.'),
    ),
    credentialsSecretRef: Optional(
      secretReference('Storage credentials that may list, get and delete, with keys as for the gateway.'),
    ),
    resources: Optional(computeResources('Compute resources of the reaper pod.')),
  },
  { description: 'The one pod that removes expired payloads.' },
);

const Sidecar = MapOf(
  { resources: Optional(computeResources('Compute resources of an injected sidecar.')) },
  { description: 'The container injected into worker pods. Not built yet: has no effect.' },
);

export const SpecSchema = MapOf(
  {
    storage: StorageSchema,
    retention: RetentionSchema,
    temporalNamespaces: Optional(
      ListOf(Text({ minLength: 1, maxLength: 255 }), {
        description: 'Temporal namespaces whose payloads this store takes. Default: any.',
        minItems: 1,
        maxItems: 64,
        'x-kubernetes-list-type': 'set',
      }),
    ),
    allowedNamespaces: Optional(
      ListOf(Text({ minLength: 1, maxLength: 63, ...NAMESPACE_NAME }), {
        description:
          'Kubernetes namespaces, besides its own, whose pods may use this store. Those of workflow starters ' +
          'belong here too.',
        maxItems: 64,
        'x-kubernetes-list-type': 'set',
      }),
    ),
    thresholdSize: byteSize(
      'Payloads larger than this are stored; others stay in the workflow history. Bytes, or a ' +
        'quantity such as 256Ki. Reaches the codec of a worker when its pod is injected, which is not built ' +
        'yet; until then it is an option of the codec.',
      128_000,
    ),
    maxPayloadSize: byteSize('Largest payload accepted, from 1Mi to 5Gi.', '1Gi', limitInBounds),
    gateway: Gateway,
    reaper: Optional(Reaper),
    sidecar: Optional(Sidecar),
  },
  {
    description: 'What the store should be.',
    rules: [filesystemHasOneWriter, reaperNeedsTtl, filesystemHasNoReaper, temporalNeedsNamespaces],
  },
);
