import { FOREVER, reservedPrefix, storageKindOf, unsupportedFields } from '@largepayload/crds';
import { SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts';
import { accountName } from '../desired/service-accounts.ts';
import { type Component, componentName } from '../names.ts';
import type { ObservedObject } from '../observed.ts';
import { isLeftOver, objectsInTheWay } from '../ownership.ts';
import type { StoreResource } from '../read-store.ts';
import type { Situation } from './component-view.ts';
import { type Finding, firstFinding, type Predicate } from './finding.ts';
import { refused } from './refused.ts';

const SHOWN = 3;

const deleting: Predicate<Situation> = ({ observed: { store } }) =>
  store.deleting
    ? {
        reason: 'Deleting',
        message:
          'the store is being deleted; what it holds stays in its storage, and serves a store of the same name again',
      }
    : undefined;

const invalidSpec: Predicate<Situation> = ({ observed: { store } }) => {
  if (store.spec !== undefined) return undefined;
  const shown = store.problems
    .slice(0, SHOWN)
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const rest = store.problems.length - shown.length;
  return {
    reason: 'InvalidSpec',
    message: `correct the resource: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`,
  };
};

/** Pods would refuse such a manifest too. */
const unsupported: Predicate<Situation> = ({ observed: { store } }) => {
  const [field] = store.spec === undefined ? [] : unsupportedFields(store.spec);
  if (field === undefined) return undefined;
  const problem = `${field.path}: ${field.message}`;
  if (field.feature === 'storage') {
    return {
      reason: 'StorageNotSupported',
      message: `${problem}; the backend of a store cannot change, so delete this one and make another`,
    };
  }
  const now =
    store.spec && storageKindOf(store.spec).deletedBy === 'gateway'
      ? 'and the pod that runs goes on removing payloads by their TTL alone'
      : 'so the reaper is taken away and nothing is removed';
  return {
    reason: 'RetentionNotSupported',
    message: `${problem}, ${now}; take the field out to have payloads removed by their TTL alone`,
  };
};

const nameTaken: Predicate<Situation> = ({ observed, desired }) => {
  const { store } = observed;
  const [object] = objectsInTheWay(observed, desired).filter(isInNamespaceOf(store));
  if (object === undefined) return undefined;
  const what = `the ${object.resource.kind} ${object.name}`;
  if (isLeftOver(object, store)) {
    return {
      reason: 'Creating',
      message: `${what} belongs to an earlier store of this name; Kubernetes is removing it, then this store gets its own`,
    };
  }
  return {
    reason: 'NameTaken',
    message: `${what} exists and was not made for this store; ${wayOut(object, store)}`,
  };
};

/** An object of another namespace is none that the store's pods need. */
function isInNamespaceOf({ namespace }: StoreResource) {
  return (object: { readonly namespace: string }) => object.namespace === namespace;
}

/** People make an account ahead to give it a cloud's role, so they mean to use it. */
function wayOut({ resource, name }: ObservedObject, store: StoreResource): string {
  if (resource === SERVICE_ACCOUNTS)
    return `to use it, set spec.${componentOf(name, store)}.serviceAccountName: ${name}; otherwise delete it, and one is made`;
  return 'rename or delete it, or give the store another name';
}

const refusedApply: Predicate<Situation> = ({ observed: { store, refusals } }) => {
  const [refusal] = refusals.filter(isInNamespaceOf(store));
  if (refusal === undefined) return undefined;
  const { resource, name, message } = refusal;
  const place = refusalFacts(store, componentOf(name, store));
  return refused({ ...place, what: `the ${resource.kind} ${name}`, refusal: message });
};

function componentOf(object: string, store: StoreResource): Component {
  return object === componentName(store.name, 'reaper') ? 'reaper' : 'gateway';
}

/** The facts of a refusal that come from the store. */
export function refusalFacts(store: StoreResource, component: Component) {
  const account =
    store.spec === undefined
      ? componentName(store.name, component)
      : accountName(store.name, store.spec, component);
  return {
    namespace: store.namespace,
    resourcesField: `spec.${component}.resources`,
    account,
    accountField: `spec.${component}.serviceAccountName`,
  };
}

/** Version 0.1 allowed such a prefix. The store goes on, and its pods delete nothing. */
export function prefixNotAllowed({ spec }: StoreResource): Finding | undefined {
  const problem = spec === undefined ? undefined : reservedPrefix(spec);
  if (problem === undefined) return undefined;
  return {
    reason: 'PrefixNotAllowed',
    message: `${problem}, so payloads are stored and served, and none is removed; copy them to a store of another prefix, or remove what has expired by hand`,
  };
}

/** A problem of the resource or its objects, which no pod has to be looked at for. */
export function storeProblem(situation: Situation): Finding | undefined {
  return firstFinding([deleting, invalidSpec, unsupported, nameTaken, refusedApply], situation);
}

/** Whether payloads of the store never expire; `false` also for a spec that cannot be read. */
export function keepsForever({ spec }: StoreResource): boolean {
  return spec?.retention.ttl === FOREVER;
}
