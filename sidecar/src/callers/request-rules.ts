import type { ErrorCode } from '../errors/service-error.ts';
import type { Rights, ServedNamespaces } from './caller-rules.ts';

/** A request of a caller that may use the store. */
export interface Wish {
  readonly access: 'read' | 'write';
  /** of Temporal; `undefined`: the request does not say, as a reference of version 1 */
  readonly namespace: string | undefined;
  readonly rights: Rights;
  /** for people */
  readonly caller: string;
  /** what the store serves */
  readonly served: ServedNamespaces;
}

export interface Denial {
  readonly code: Extract<ErrorCode, 'caller_denied' | 'namespace_denied'>;
  readonly message: string;
}

type Rule = (wish: Wish) => Denial | undefined;

const notServed: Rule = ({ namespace, served }) => {
  if (served === undefined || (namespace !== undefined && served.has(namespace))) return undefined;
  return denied(
    namespace === undefined
      ? 'references of version 1 do not say whose they are, and this store serves those of spec.temporalNamespaces only'
      : `this store does not serve the Temporal namespace ${namespace}; spec.temporalNamespaces lists those that it does`,
  );
};

const onlyReads: Rule = ({ access, rights: { write }, caller }) => {
  if (access === 'read' || write?.size !== 0) return undefined;
  const message = `${caller} may get payloads and not put them; its entry in spec.callers needs access: ReadWrite, if it should`;
  return { code: 'caller_denied', message };
};

const notTheirs: Rule = ({ access, namespace, rights, caller }) => {
  const allowed = rights[access];
  if (allowed === undefined || (namespace !== undefined && allowed.has(namespace))) return undefined;
  if (namespace === undefined)
    return denied(
      `references of version 1 do not say whose they are, and spec.callers gives ${caller} those of some Temporal namespaces only`,
    );
  const what = access === 'read' ? 'get' : 'put';
  return denied(
    `${caller} may not ${what} payloads of the Temporal namespace ${namespace}; add it to temporalNamespaces of its entry in spec.callers, if it should`,
  );
};

const RULES: readonly Rule[] = [notServed, onlyReads, notTheirs];

/** Why a request is denied; `undefined`: it is not. */
export function denialOfRequest(wish: Wish): Denial | undefined {
  for (const rule of RULES) {
    const denial = rule(wish);
    if (denial !== undefined) return denial;
  }
  return undefined;
}

function denied(message: string): Denial {
  return { code: 'namespace_denied', message };
}
