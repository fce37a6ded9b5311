import { Object as MapOf, Optional } from 'typebox';
import { at } from '../json-fields.ts';
import { CallersSchema, issuersAreKnown, kubernetesNamespaces, temporalNamespaces } from './callers.ts';
import { byteSize, computeResources, resourceName, secretReference, sizeWithin } from './fields.ts';
import { GatewaySchema } from './gateway.ts';
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
  { description: 'The container injected into worker pods.' },
);

export const SpecSchema = MapOf(
  {
    storage: StorageSchema,
    retention: RetentionSchema,
    temporalNamespaces: Optional(
      temporalNamespaces('Temporal namespaces whose payloads this store takes. Default: any.'),
    ),
    allowedNamespaces: Optional(
      kubernetesNamespaces(
        'Kubernetes namespaces, besides its own, whose pods may use this store. Those of workflow starters ' +
          'belong here too.',
      ),
    ),
    callers: Optional(CallersSchema),
    thresholdSize: byteSize(
      'Payloads larger than this are stored; others stay in the workflow history. Bytes, or a ' +
        'quantity such as 256Ki. New worker pods that are injected have it as LARGE_PAYLOAD_THRESHOLD_BYTES, ' +
        'which their codec reads.',
      { default: 128_000 },
    ),
    maxPayloadSize: byteSize('Largest payload accepted, from 1Mi to 5Gi.', {
      default: '1Gi',
      rules: [sizeWithin('1Mi', '5Gi')],
    }),
    gateway: GatewaySchema,
    reaper: Optional(Reaper),
    sidecar: Optional(Sidecar),
  },
  {
    description: 'What the store should be.',
    rules: [
      filesystemHasOneWriter,
      reaperNeedsTtl,
      filesystemHasNoReaper,
      temporalNeedsNamespaces,
      issuersAreKnown,
    ],
  },
);
