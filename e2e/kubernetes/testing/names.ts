export const CLUSTER_NAME = process.env.E2E_CLUSTER_NAME ?? 'e2e';
/** As README builds it. */
export const IMAGE = 'largepayload/payload-store:0.1.0';
