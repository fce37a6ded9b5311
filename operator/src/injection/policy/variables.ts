import { INJECT_LABEL, SIDECAR_CONTAINER, STORE_ANNOTATION } from '../names.ts';
import type { StoreName } from '../selection.ts';
import { celLiteral } from './cel-literal.ts';
import { HAS_SIDECAR, type NamedExpression } from './match-conditions.ts';

const LABEL = celLiteral(INJECT_LABEL);
const ANNOTATION = celLiteral(STORE_ANNOTATION);
const IS_WORKER = `c.name != ${celLiteral(SIDECAR_CONTAINER)}`;

/** The store that an object asks for, as `selectStore` has it; "false" where it asks for none. */
function requestedBy(object: string): string {
  const label = `${object}.?labels[?${LABEL}].orValue("false")`;
  const annotation = `${object}.?annotations[?${ANNOTATION}].orValue("false")`;
  return `${label} == "true" ? ${annotation} : ${label}`;
}

/** What the mutation of a store's policy uses. Each is evaluated once, when it is first used. */
export function variablesFor({ name, namespace }: StoreName): readonly NamedExpression[] {
  const long = celLiteral(`${name}.${namespace}`);
  const inOwnNamespace = `request.namespace == ${celLiteral(namespace)}`;
  return [
    { name: 'isInOwnNamespace', expression: inOwnNamespace },
    {
      name: 'requested',
      expression: `object.metadata.?labels[?${LABEL}].hasValue() ? (${requestedBy('object.metadata')}) : (${requestedBy('namespaceObject.metadata')})`,
    },
    {
      name: 'isRequested',
      expression: `variables.requested == ${long} || (variables.requested == ${celLiteral(name)} && variables.isInOwnNamespace)`,
    },
    { name: 'hasSidecar', expression: HAS_SIDECAR },
    {
      name: 'workers',
      expression: `object.spec.containers + object.spec.?initContainers.orValue([]).filter(c, ${IS_WORKER})`,
    },
    {
      name: 'paths',
      expression: [
        'object.spec.containers.transformList(i, c, "/spec/containers/" + string(i))',
        `object.spec.?initContainers.orValue([]).transformList(i, c, ${IS_WORKER}, "/spec/initContainers/" + string(i))`,
      ].join(' + '),
    },
    {
      name: 'environments',
      expression: 'variables.workers.map(c, c.?env.orValue([]).map(e, e.name))',
    },
  ];
}
