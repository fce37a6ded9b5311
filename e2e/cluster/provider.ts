export const DEFAULT_NAME = 'default';

export interface ClusterOptions {
  /** Letters, digits and dashes; clusters of different names live side by side. */
  readonly name: string;
  /** Default 1; ignored for an existing cluster. */
  readonly nodes: 1 | 2;
  /** Gets progress, a line at a time. */
  readonly say: (line: string) => void;
}

export interface CommandOptions {
  /** Written to its standard input. */
  readonly input?: string | undefined;
  /** Added to `Cluster.environment`. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Time limit; default 2 minutes. */
  readonly limitMs?: number | undefined;
}

/** A cluster whose API server is ready, with every node Ready. */
export interface Cluster {
  readonly name: string;
  readonly provider: ProviderName;
  /** Path of a kubeconfig with all rights; its server may answer only where `run` runs. */
  readonly kubeconfig: string;
  readonly nodeNames: readonly string[];
  /** Whether `restartApiServer` works. */
  readonly restartsApiServer: boolean;
  /** Whether `rebootNode` works. */
  readonly rebootsNodes: boolean;
  /** Pull policy for images given to `loadImage`. `Never` proves that nothing was pulled. */
  readonly imagePullPolicy: 'Never' | 'IfNotPresent';
  /**
   * Image to use in place of the one built here, when the cluster takes it from a registry (E2E_IMAGE). `loadImage` then
   * throws.
   */
  readonly registryImage: string | undefined;
  /**
   * IPv4 address at which pods reach servers of the tests. Such a server is started by `command`, and listens on
   * that address or on all. Undefined: pods cannot reach this machine.
   */
  readonly hostAddress: string | undefined;
  /** Prefix of a command that has to reach the cluster, e.g. `['nsenter', '--net=…']`; may be empty. */
  readonly commandPrefix: readonly string[];
  /** This process's environment with KUBECONFIG, and kubectl and helm in PATH. */
  readonly environment: NodeJS.ProcessEnv;

  /** The command with the prefix, for `Program.start` or `spawn` with `environment`. */
  command(program: string, args: readonly string[]): { command: string; args: string[] };
  /** Runs a command to its end. @returns its standard output @throws Error with its standard error when it fails */
  run(program: string, args: readonly string[], options?: CommandOptions): Promise<string>;
  /** `run` for kubectl. */
  kubectl(...args: string[]): Promise<string>;
  /** `kubectl apply` of one or more objects, server-side. */
  apply(...objects: object[]): Promise<void>;
  /** Puts the image of a docker-archive (a tar file, as `docker save` writes it) on every node, under its name there. */
  loadImage(archive: string): Promise<void>;
  /**
   * Stops the API server, waits, starts it again and resolves when it is ready.
   * @throws Error where `restartsApiServer` is false
   */
  restartApiServer(goneForMs?: number): Promise<void>;
  /**
   * Kills all processes of a node at once, as a loss of power does, starts them again and resolves when the kubelet is at
   * work. Until it has looked at its pods, the API server has their status of before: wait for a higher `restartCount`.
   * @param name one of `nodeNames`; the first one of a local cluster has the control plane too
   * @throws Error where `rebootsNodes` is false
   */
  rebootNode(name: string): Promise<void>;
}

export type ProviderName = 'kind' | 'local' | 'existing';

/** One way to have a cluster. `clusters.ts` decides which one is used. */
export interface ClusterProvider {
  readonly name: ProviderName;
  /** The version of Kubernetes that `up` would start, e.g. `1.37.2`; undefined where any will do. @throws Error for an unknown one */
  kubernetes(): string | undefined;
  /** Starts the cluster. A broken one of that name is replaced. @throws MissingProgramError */
  up(options: ClusterOptions): Promise<Cluster>;
  /** The cluster of that name, if its API server answers that it is ready. */
  find(name: string): Promise<Cluster | undefined>;
  /** Removes the cluster, and what a crash has left of it. Does nothing when there is none. */
  down(name: string, say: (line: string) => void): Promise<void>;
}
