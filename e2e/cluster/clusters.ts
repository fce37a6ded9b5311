import { existing } from './existing.ts';
import { kind, kindIsUsable } from './kind.ts';
import { local } from './local.ts';
import { type Cluster, type ClusterOptions, type ClusterProvider, DEFAULT_NAME } from './provider.ts';
import { type ClusterState, exclusively, readState } from './state-folder.ts';

const PROVIDERS: readonly ClusterProvider[] = [kind, local, existing];

/** The provider that E2E_CLUSTER names; by default kind where it can be used, else local. @throws Error for an unknown name */
export async function chosenProvider(): Promise<ClusterProvider> {
  const name = process.env.E2E_CLUSTER;
  if (!name) return (await kindIsUsable()) ? kind : local;
  return providerOf(name);
}

/**
 * Makes a cluster. When it is up already with as many nodes, it is used as it is. Safe to call from several processes at
 * once.
 * @throws MissingProgramError
 */
export async function clusterUp({
  name = DEFAULT_NAME,
  nodes = 1,
  say = () => undefined,
}: Partial<ClusterOptions> = {}): Promise<Cluster> {
  return await exclusively(name, say, async () => {
    const found = await findCluster(name);
    const state = readState(name);
    const lack = state && lackOf(found, state, nodes);
    if (found !== undefined && lack === undefined) {
      say(`cluster ${name} (${found.provider}) is up already`);
      return found;
    }
    if (state !== undefined) {
      say(`what there is of cluster ${name} ${lack}: replacing it`);
      await providerOf(state.provider).down(name, say);
    }
    return await (await chosenProvider()).up({ name, nodes, say });
  });
}

/** Why it is not the cluster that is wanted; undefined when it is. */
function lackOf(found: Cluster | undefined, state: ClusterState, nodes: number): string | undefined {
  const wanted = providerOf(state.provider).kubernetes();
  if (found === undefined) return 'is not ready';
  if (state.nodes < nodes) return 'has one node';
  if (wanted !== undefined && wanted !== state.kubernetes) return `has Kubernetes ${state.kubernetes}`;
  return undefined;
}

/** The cluster of that name, if it is up and ready. */
export async function findCluster(name = DEFAULT_NAME): Promise<Cluster | undefined> {
  const state = readState(name);
  return state && (await providerOf(state.provider).find(name));
}

/** The cluster of that name. @throws Error that says how to have one */
export async function requireCluster(name = DEFAULT_NAME): Promise<Cluster> {
  const cluster = await findCluster(name);
  if (cluster === undefined) throw new Error(`cluster ${name} is not up: \`make cluster-up\` makes one`);
  return cluster;
}

/** Removes the cluster of that name and all that a crash may have left of it. */
export async function clusterDown(name = DEFAULT_NAME, say: ClusterOptions['say'] = () => undefined) {
  await exclusively(name, say, async () => {
    const state = readState(name);
    // Processes may run although the state has gone, so the provider removes what it finds.
    await (state ? providerOf(state.provider) : local).down(name, say);
  });
}

function providerOf(name: string): ClusterProvider {
  const provider = PROVIDERS.find((candidate) => candidate.name === name);
  if (provider !== undefined) return provider;
  const names = PROVIDERS.map((candidate) => candidate.name).join(', ');
  throw new Error(`E2E_CLUSTER=${name}: there is no such provider; use one of ${names}`);
}
