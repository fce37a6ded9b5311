import { checkCallers } from './checks/callers.ts';
import { checkCertificates } from './checks/certificates.ts';
import * as status from './checks/conditions.ts';
import { checkNamespace } from './checks/namespace.ts';
import { checkOperator } from './checks/operator.ts';
import { checkPods, checkSidecars } from './checks/pods.ts';
import { checkPolicy } from './checks/policy.ts';
import { checkStore } from './checks/store.ts';
import { checkToken } from './checks/token.ts';
import { checkWebhook } from './checks/webhook.ts';
import type { Finding, Level } from './finding.ts';
import { type Situation, type StoreSituation, storeText } from './situation.ts';

type ClusterCheck = (situation: Situation) => readonly Finding[];
type StoreCheck = (store: StoreSituation, situation: Situation) => readonly Finding[];

/** In the order of the way from a worker to the bucket. */
const CLUSTER_CHECKS: readonly (readonly [name: string, check: ClusterCheck])[] = [
  ['namespace', checkNamespace],
  ['operator', checkOperator],
  ['webhook', checkWebhook],
];

const STORE_CHECKS: readonly (readonly [name: string, check: StoreCheck])[] = [
  ['store', checkStore],
  ['policy', checkPolicy],
  ['injection', status.checkInjection],
  ['pods', checkPods],
  ['sidecars', checkSidecars],
  ['token', checkToken],
  ['certificates', checkCertificates],
  ['callers', checkCallers],
  ['status', status.checkStatus],
  ['gateway', status.checkGateway],
  ['storage', status.checkStorage],
  ['identity', status.checkIdentity],
  ['clock', status.checkClock],
  ['reaper', status.checkReaper],
  ['retention', status.checkRetention],
  ['temporal', status.checkTemporal],
];

/** In the order in which they are printed. */
export const CHECK_NAMES: readonly string[] = [...CLUSTER_CHECKS, ...STORE_CHECKS].map(([name]) => name);

/** A finding, with the check that found it, and the store as NAME.NAMESPACE where it is about one. */
export interface DiagnosedFinding extends Finding {
  readonly check: string;
  readonly store?: string;
}

/** What `payload-store doctor --json` prints. */
export interface Diagnosis {
  readonly namespace: string;
  /** NAME.NAMESPACE of each store that was looked at */
  readonly stores: readonly string[];
  readonly findings: readonly DiagnosedFinding[];
  /** how many findings of each level there are */
  readonly counts: Readonly<Record<Level, number>>;
}

/** All findings, in the order of the way. */
export function diagnose(situation: Situation): Diagnosis {
  const { namespace, stores } = situation;
  const findings = [
    ...CLUSTER_CHECKS.flatMap(([check, run]) => run(situation).map((finding) => ({ check, ...finding }))),
    ...stores.flatMap((store) =>
      STORE_CHECKS.flatMap(([check, run]) =>
        run(store, situation).map((finding) => ({ check, store: storeText(store), ...finding })),
      ),
    ),
  ];
  return { namespace, stores: stores.map(storeText), findings, counts: countsOf(findings) };
}

function countsOf(findings: readonly Finding[]): Diagnosis['counts'] {
  const counts = { ok: 0, warning: 0, problem: 0, unknown: 0 };
  for (const { level } of findings) counts[level] += 1;
  return counts;
}
