import { Object as MapOf, Optional, type Static, String as Text, Unsafe } from 'typebox';
import { API_VERSION, KIND } from '../identity.ts';
import { at } from '../json-fields.ts';
import { NAMESPACE_NAME } from './fields.ts';
import type { Rule } from './node.ts';
import { SpecSchema } from './spec.ts';

/** Shorter than Kubernetes allows, because names of Services and labels are made from it. */
const STORE_NAME = '^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$';

/** `false` would read as "do not inject" where a label names its store. */
const nameFitsLabels: Rule = {
  cel: `self.metadata.name.matches('${STORE_NAME}') && self.metadata.name != 'false'`,
  message: "name must be a DNS label of at most 40 characters, and not 'false'",
  field: 'metadata.name',
  holds: (store) => {
    const name = at(store, 'metadata', 'name');
    return typeof name !== 'string' || (new RegExp(STORE_NAME).test(name) && name !== 'false');
  },
};

const Metadata = MapOf(
  {
    name: Text({ description: 'Name of the store.' }),
    namespace: Optional(
      Text({
        description: 'Namespace of the store.',
        ...NAMESPACE_NAME,
      }),
    ),
  },
  { additionalProperties: true },
);

/** The resource without its status, which is never read from a manifest. */
export const StoreSchema = MapOf(
  {
    apiVersion: Unsafe<typeof API_VERSION>({
      type: 'string',
      description: `Version of this schema: ${API_VERSION}.`,
    }),
    kind: Unsafe<typeof KIND>({ type: 'string', description: `${KIND}.` }),
    metadata: Metadata,
    spec: SpecSchema,
  },
  {
    description: 'A place where Temporal workers keep payloads that are too large for a workflow history.',
    rules: [nameFitsLabels],
  },
);

/** A store with every default applied. Of its metadata it has the name and the namespace only. */
export type LargePayloadStore = Static<typeof StoreSchema>;
