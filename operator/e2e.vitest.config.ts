import { dirname } from 'node:path';
import { chosenKubernetes, hasMutatingPolicies } from '@largepayload/testing/programs/kubernetes-versions';
import { configDefaults, defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.config.ts';

/** They write a MutatingAdmissionPolicy. */
const OF_POLICIES = [
  'operator/src/injection/policy/same-as-function.e2e.ts',
  'operator/src/injection/policy/selection.e2e.ts',
  'operator/src/reconcile/policies/policies.e2e.ts',
];
const version = chosenKubernetes();
const left = hasMutatingPolicies(version) ? [] : OF_POLICIES;
if (left.length > 0)
  console.info(`Kubernetes ${version.full} has no such policies, left out: ${left.join(', ')}`);

/** Tests on a real API server, which is built from its sources: `*.e2e.ts`, beside what they test. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      root: dirname(import.meta.dirname),
      include: ['{crds,operator}/src/**/*.e2e.ts'],
      exclude: [...configDefaults.exclude, ...left],
      // Each starts an API server of its own, and mostly waits.
      maxWorkers: 2,
      reporters: ['verbose'],
    },
  }),
);
