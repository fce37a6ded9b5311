import { FOREVER, isReservedPrefix } from '@largepayload/crds';
import { SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts';
import { accountName } from '../desired/service-accounts.ts';
import { type Component, componentName } from '../names.ts';
import type { ObservedObject, Refusal } from '../observed.ts';
import { isLeftOver, objectsInTheWay } from '../ownership.ts';
import type { StoreResource } from '../read-store.ts';
import { unsupported as unsupportedPart } from '../support.ts';
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

const unsupported: Predicate<Situation> = ({ observed: { store } }) =>
  store.spec && unsupportedPart(store.spec);

const nameTaken: Predicate<Situation> = ({ observed, desired }) => {
  const { store } = observed;
  const [object] = objectsInTheWay(observed, desired);
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

/** An account that was made ahead, with a cloud's role, is what people mean to use. */
function wayOut({ resource, name }: ObservedObject, store: StoreResource): string {
  const component = name === componentName(store.name, 'reaper') ? 'reaper' : 'gateway';
  if (resource === SERVICE_ACCOUNTS)
    return `to use it, set spec.${component}.serviceAccountName: ${name}; otherwise delete it, and one is made`;
  return 'rename or delete it, or give the store another name';
}

const refusedApply: Predicate<Situation> = ({ observed: { store, refusals } }) => {
  const [refusal] = refusals;
  return refusal && refusalFinding(store, refusal);
};

function refusalFinding(store: StoreResource, { resource, name, message }: Refusal): Finding {
  const component: Component = name === componentName(store.name, 'reaper') ? 'reaper' : 'gateway';
  return refused({
    ...placeOf(store, component),
    what: `the ${resource.kind} ${name}`,
    words: message,
  });
}

/** The facts of a refusal that come from the store. */
export function placeOf(store: StoreResource, component: Component) {
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

/** A prefix that 0.1 allowed: the store goes on, and its pods delete nothing. */
export function reservedPrefix({ spec }: StoreResource): Finding | undefined {
  const { s3, gcs, azure } = spec?.storage ?? {};
  const prefix = (s3 ?? gcs ?? azure)?.prefix ?? '';
  if (!isReservedPrefix(prefix)) return undefined;
  return {
    reason: 'PrefixNotAllowed',
    message: `the prefix ${JSON.stringify(prefix)} has a segment that stores keep for themselves (blobs, expires-…, . or ..), so payloads are stored and served, and none is removed; copy them to a store of another prefix, or remove what has expired by hand`,
  };
}

/** What keeps the store from being what its resource says, before any pod is looked at. */
export function storeProblem(situation: Situation): Finding | undefined {
  return firstFinding([deleting, invalidSpec, unsupported, nameTaken, refusedApply], situation);
}

/** Whether payloads of the store never expire; `false` also where that cannot be told. */
export function keepsForever({ spec }: StoreResource): boolean {
  return spec?.retention.ttl === FOREVER;
}
