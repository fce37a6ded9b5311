import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { Chains } from './chains.ts';
import { type SharedReferences, sharedReferences } from './shared-references.ts';
import { type SidecarRow, sidecarTransfers } from './sidecar-transfers.ts';

export interface SidecarCosts {
  readonly transfers: readonly SidecarRow[];
  readonly shared: SharedReferences;
}

/** What the way through sidecar and gateway costs, beside Amazon's SDK in the worker. @param load the load client */
export async function sidecarCosts(load: string): Promise<SidecarCosts> {
  const server = await startVersitygw('--keep-alive');
  try {
    await using chains = await Chains.on(server);
    return {
      transfers: await sidecarTransfers(load, server, chains),
      shared: await sharedReferences(server, chains),
    };
  } finally {
    await server.stop();
  }
}
