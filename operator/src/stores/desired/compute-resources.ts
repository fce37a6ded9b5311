import { parseQuantity } from '@largepayload/crds';

type Quantities<Value = string> = Readonly<Record<string, Value>>;

/** The requests and limits of a container, by resource: `cpu: 100m`. */
export interface ComputeResources {
  readonly requests: Quantities;
  readonly limits: Quantities;
}

type Given = { readonly [Part in keyof ComputeResources]?: Quantities<number | string> };

export const GATEWAY_RESOURCES: ComputeResources = {
  requests: { cpu: '100m', memory: '192Mi' },
  limits: { cpu: '2', memory: '512Mi' },
};

/** @param cacheSize bytes that a gateway keeps in memory beside everything else */
export function gatewayResources(cacheSize = 0): ComputeResources {
  const withCache = ({ memory = '', ...others }: Quantities) => ({
    ...others,
    memory: `${Math.ceil((parseQuantity(memory) + cacheSize) / 2 ** 20)}Mi`,
  });
  return { requests: withCache(GATEWAY_RESOURCES.requests), limits: withCache(GATEWAY_RESOURCES.limits) };
}

export const REAPER_RESOURCES: ComputeResources = {
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: '1', memory: '384Mi' },
};

/**
 * The defaults, replaced by the given values. For a resource with one given value, a default request is lowered to the given
 * limit, and a default limit raised to the given request.
 */
export function computeResources(defaults: ComputeResources, given: Given = {}): ComputeResources {
  const requests = textOf(given.requests);
  const limits = textOf(given.limits);
  return {
    requests: { ...smaller(defaults.requests, limits), ...requests },
    limits: { ...larger(defaults.limits, requests), ...limits },
  };
}

function textOf(quantities: Quantities<number | string> = {}): Quantities {
  return Object.fromEntries(Object.entries(quantities).map(([resource, value]) => [resource, String(value)]));
}

const smaller = (defaults: Quantities, given: Quantities) => bounded(defaults, given, (a, b) => a < b);
const larger = (defaults: Quantities, given: Quantities) => bounded(defaults, given, (a, b) => a > b);

function bounded(
  defaults: Quantities,
  given: Quantities,
  wins: (given: number, byDefault: number) => boolean,
) {
  return Object.fromEntries(
    Object.entries(defaults).map(([resource, byDefault]) => {
      const other = given[resource];
      return [resource, other !== undefined && wins(amount(other), amount(byDefault)) ? other : byDefault];
    }),
  );
}

const FACTORS: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** Exact enough to compare. NaN, for which each comparison is false, for a text that is no quantity: the API server refuses that. */
function amount(quantity: string): number {
  const [, number = '', suffix = ''] = /^\+?([0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  return number === '' ? Number.NaN : Number(number) * (FACTORS[suffix] ?? Number.NaN);
}
