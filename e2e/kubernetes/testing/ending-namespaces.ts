import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventual-value';
import { suiteCluster } from './suite.ts';

/** Waits until nothing is under way that other tests have left behind. */
export async function untilNamespacesAreGone(): Promise<void> {
  await eventually(async () => {
    const names = await endingNamespaces();
    for (const name of names) await lookAgain(name);
    await sleep(names.length > 0 ? 2_000 : 0);
    return names.length === 0 || undefined;
  }, 120_000);
}

/**
 * Makes Kubernetes look at a namespace that is being deleted. It does so at each change; else, as long as there were pods, only
 * after half of the time that those could have taken to end, however soon they have ended: 8 minutes where a PUT may take 15.
 */
export async function lookAgain(namespace: string): Promise<void> {
  const cluster = await suiteCluster();
  const annotation = `look-again=${Date.now()}`;
  // It may have gone meanwhile.
  await cluster.kubectl('annotate', 'namespace', namespace, '--overwrite', annotation).catch(() => {});
}

async function endingNamespaces(): Promise<string[]> {
  const cluster = await suiteCluster();
  const selector = '--field-selector=status.phase=Terminating';
  const path = '--output=jsonpath={.items[*].metadata.name}';
  const names = await cluster.kubectl('get', 'namespaces', selector, path);
  return names.split(' ').filter((name) => name !== '');
}
