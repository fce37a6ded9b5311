import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { clusterDown, clusterUp, findCluster, requireCluster } from './clusters.ts';
import { type Cluster, DEFAULT_NAME } from './provider.ts';

const HELP = `usage: node --conditions=largepayload-source e2e/cluster/cluster.ts COMMAND [--name NAME]

  up [--nodes 2]   a Kubernetes cluster; one that is up already is left as it is
  down             removes it, also what a crash has left
  status           tells whether it is up
  exec -- CMD …    runs a command so that it reaches the cluster, with KUBECONFIG, kubectl and helm

E2E_CLUSTER chooses where it runs:
  kind      in Docker; chosen where Docker's daemon answers and kind is installed
  local     as processes of this machine in namespaces of their own; needs root, Go and Debian's packages; chosen else
  existing  the cluster of KUBECONFIG, which is left alone otherwise; E2E_IMAGE names our image in a registry that
            this cluster can pull from, E2E_HOST_ADDRESS, if pods can reach this machine, its address

E2E_KUBERNETES chooses the version of Kubernetes, by default the newest: a local cluster has those that
testing/programs/kubernetes/ has a folder of, kind has those that it has an image of
`;

const started = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${seconds.padStart(6)} s  ${line}`);
}

const COMMANDS: Record<string, (name: string, nodes: 1 | 2, command: readonly string[]) => Promise<number>> =
  {
    async up(name, nodes) {
      const cluster = await clusterUp({ name, nodes, say });
      say(`cluster ${name} (${cluster.provider}) is up: ${cluster.nodeNames.join(', ')}`);
      console.log(usage(cluster));
      return 0;
    },
    async down(name) {
      await clusterDown(name, say);
      say(`cluster ${name} is down`);
      return 0;
    },
    async status(name) {
      const cluster = await findCluster(name);
      console.log(cluster ? usage(cluster) : `cluster ${name} is not up`);
      return cluster ? 0 : 1;
    },
    async exec(name, _nodes, [program, ...args]) {
      if (program === undefined) throw new TypeError('exec: the command is missing: exec -- CMD …');
      const cluster = await requireCluster(name);
      const prefixed = cluster.command(program, args);
      const { status, error, signal } = spawnSync(prefixed.command, prefixed.args, {
        stdio: 'inherit',
        env: cluster.environment,
      });
      if (error) throw error;
      if (signal) console.error(`${program} was ended by ${signal}`);
      return status ?? 1;
    },
  };

function usage({ name, kubeconfig, commandPrefix, environment }: Cluster): string {
  const folders = environment.PATH?.slice(0, -(process.env.PATH ?? '').length);
  const exec = `node --conditions=largepayload-source e2e/cluster/cluster.ts exec --name ${name} --`;
  return [
    `export KUBECONFIG=${kubeconfig} PATH=${folders}$PATH`,
    `${[...commandPrefix, 'kubectl'].join(' ')} get pods --all-namespaces`,
    `or: ${exec} kubectl get pods --all-namespaces`,
  ].join('\n');
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string', default: DEFAULT_NAME },
      nodes: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [command = '', ...rest] = positionals;
  const run = COMMANDS[command];
  if (values.help || run === undefined || !['1', '2'].includes(values.nodes)) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  return await run(values.name, values.nodes === '2' ? 2 : 1, rest);
}

/** The messages of an error and of its causes. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\ncaused by: ${messages(error.cause)}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(messages(error));
  process.exitCode = 1;
}
