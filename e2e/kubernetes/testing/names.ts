export const CLUSTER_NAME = process.env.E2E_CLUSTER_NAME ?? 'e2e';
