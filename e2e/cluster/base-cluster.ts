import { runCommand } from '@largepayload/tools/run-command';
import type { Cluster, CommandOptions, ProviderName } from './provider.ts';

export interface ClusterAccess {
  readonly name: string;
  readonly kubeconfig: string;
  readonly nodeNames: readonly string[];
  /** Folders put before PATH. */
  readonly programFolders: readonly string[];
  /** Added to the environment. */
  readonly variables?: NodeJS.ProcessEnv;
}

/** The part of a cluster that is the same for every provider. */
export abstract class BaseCluster implements Cluster {
  abstract readonly provider: ProviderName;
  abstract readonly imagePullPolicy: 'Never' | 'IfNotPresent';
  abstract readonly hostAddress: string | undefined;
  readonly registryImage: string | undefined = undefined;
  readonly restartsApiServer: boolean = false;
  readonly rebootsNodes: boolean = false;
  readonly commandPrefix: readonly string[] = [];
  readonly name: string;
  readonly kubeconfig: string;
  readonly nodeNames: readonly string[];
  readonly environment: NodeJS.ProcessEnv;

  constructor(access: ClusterAccess) {
    this.name = access.name;
    this.kubeconfig = access.kubeconfig;
    this.nodeNames = access.nodeNames;
    const path = [...access.programFolders, process.env.PATH ?? ''].join(':');
    this.environment = { ...process.env, ...access.variables, KUBECONFIG: access.kubeconfig, PATH: path };
  }

  abstract loadImage(archive: string): Promise<void>;

  async restartApiServer(_goneForMs?: number): Promise<void> {
    throw new Error(`the provider ${this.provider} cannot restart its API server; use E2E_CLUSTER=local`);
  }

  async rebootNode(_name: string): Promise<void> {
    throw new Error(`the provider ${this.provider} cannot reboot a node; use E2E_CLUSTER=local`);
  }

  command(program: string, args: readonly string[]): { command: string; args: string[] } {
    const [command = program, ...rest] = [...this.commandPrefix, program, ...args];
    return { command, args: rest };
  }

  async run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const prefixed = this.command(program, args);
    return await runCommand(prefixed.command, prefixed.args, {
      env: { ...this.environment, ...options.environment },
      input: options.input,
      limitMs: options.limitMs,
    });
  }

  async kubectl(...args: string[]): Promise<string> {
    return await this.run('kubectl', args);
  }

  async apply(...objects: object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const args = ['apply', '--server-side', '--force-conflicts', '--filename', '-'];
    await this.run('kubectl', args, { input: JSON.stringify(list) });
  }
}

/** The names of its nodes, when the API server is ready and every one of `count` nodes is Ready; else undefined. */
export async function readyNodes(
  kubectl: (...args: string[]) => Promise<string>,
  count = 1,
): Promise<string[] | undefined> {
  try {
    await kubectl('get', '--raw', '/readyz');
    const { items } = JSON.parse(await kubectl('get', 'nodes', '--output', 'json')) as NodeList;
    const ready = items.filter(({ status }) =>
      status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    );
    if (items.length < count || ready.length < items.length) return undefined;
    return items.map(({ metadata }) => metadata.name);
  } catch {
    return undefined;
  }
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}
