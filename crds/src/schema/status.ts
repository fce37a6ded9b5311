import { Array as ListOf, Object as MapOf, Optional, type Static, String as Text, Unsafe } from 'typebox';
import { count32, count64, timestamp } from './fields.ts';
import { authentication } from './gateway.ts';

const Condition = MapOf({
  type: Text({
    description: 'One of Ready, GatewayAvailable, ReaperHealthy, InjectionCurrent, RetentionSafe.',
  }),
  status: Unsafe<'True' | 'False' | 'Unknown'>({
    type: 'string',
    description: 'Whether the condition is met.',
    enum: ['True', 'False', 'Unknown'],
  }),
  reason: Text({ description: 'Why, as one word for machines.', minLength: 1 }),
  message: Text({ description: 'Why, as a sentence for people.' }),
  lastTransitionTime: timestamp('When the status last changed.'),
  observedGeneration: Optional(count64('The generation of the resource that this condition judges.')),
});

const Retention = MapOf(
  {
    lastCompletedTime: Optional(timestamp('When the reaper last finished a pass.')),
    heldWindows: Optional(
      count32('Expired windows whose payloads are kept, because a workflow may need them.'),
    ),
    oldestHeldTime: Optional(timestamp('End of the oldest window that is held.')),
  },
  { description: 'What the reaper did last.' },
);

const Pods = MapOf(
  {
    injected: Optional(count32('Running pods with a sidecar of this store.')),
    missed: Optional(count32('Running pods that should have a sidecar and have none; a restart injects it.')),
    outdated: Optional(count32('Running pods whose sidecar is not the one that would be injected now.')),
  },
  { description: 'Worker pods that use this store, or should.' },
);

export const StatusSchema = MapOf(
  {
    observedGeneration: Optional(count64('The generation of the resource that this status describes.')),
    storageID: Optional(
      Text({ description: 'Identity recorded in the storage: namespace, name and an id of its own.' }),
    ),
    endpoint: Optional(Text({ description: 'URL of the gateway within the cluster.' })),
    authentication: Optional(
      authentication(
        'How gateways know their callers now: Token, Migrate or None. Kept while the spec does not name it.',
      ),
    ),
    replicas: Optional(count32('Gateway pods that exist; read by an autoscaler.')),
    selector: Optional(Text({ description: 'Label selector of the gateway pods; read by an autoscaler.' })),
    retention: Optional(Retention),
    deadLetters: Optional(count32('Failed retrievals that nobody has retried or discarded.')),
    pods: Optional(Pods),
    conditions: Optional(
      ListOf(Condition, {
        description: 'Conditions: Ready, GatewayAvailable, ReaperHealthy, InjectionCurrent, RetentionSafe.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    ),
  },
  { description: 'What the operator last observed. Written by the operator only.' },
);

/** The `status` of a resource, as the operator writes it. */
export type LargePayloadStoreStatus = Static<typeof StatusSchema>;
