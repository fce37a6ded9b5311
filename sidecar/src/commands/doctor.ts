import { ClusterUnreachableError, connect, runDoctor } from '@largepayload/operator/doctor/doctor';
import { printDiagnosis } from '@largepayload/operator/doctor/print';
import { parseStoreName, type StoreName } from '@largepayload/operator/injection/selection';
import packageFile from '../../package.json' with { type: 'json' };
import { type Command, stringOption, usage, type Values } from '../cli/command.ts';
import { UnavailableError, UsageError } from '../cli/exit-codes.ts';
import { humanCount } from '../cli/human.ts';

export const command: Command = {
  name: 'doctor',
  summary:
    'Walks the way from the workers of a Kubernetes namespace to their storage, and says what is wrong.',
  options: {
    namespace: {
      placeholder: 'NS',
      short: 'n',
      help: 'Kubernetes namespace of the workers',
      required: true,
    },
    store: {
      placeholder: 'NAME[.NAMESPACE]',
      help: 'the store to look at; without it, those that the labels name',
    },
    json: { help: 'print one JSON object' },
    'operator-namespace': {
      placeholder: 'NS',
      help: "the operator's namespace, for those who may not list Deployments of all namespaces",
    },
    kubeconfig: {
      placeholder: 'FILE',
      help: 'as for kubectl [KUBECONFIG; in a pod: its service account]',
    },
    context: { placeholder: 'NAME', help: 'of the kubeconfig [default: its current one]' },
  },
  notes: `It only reads. What you have no right to read is shown as unknown, with the right that is missing. Exit code 1: a
problem was found; warnings and unknowns alone give 0.`,
  run,
};

async function run(values: Values): Promise<void> {
  const option = (name: string) => optional(values, name);
  const namespace = stringOption(command, values, 'namespace');
  const question = {
    namespace,
    store: storeOption(option('store'), namespace),
    operatorNamespace: option('operator-namespace'),
  };
  const access = { kubeconfig: option('kubeconfig'), context: option('context') };
  const cluster = usage(() => connect({ ...access, version: packageFile.version }));
  const diagnosis = await runDoctor(cluster, question).catch((error) => {
    throw error instanceof ClusterUnreachableError ? new UnavailableError(error.message) : error;
  });
  process.stdout.write(values.json === true ? `${JSON.stringify(diagnosis)}\n` : printDiagnosis(diagnosis));
  const { problem } = diagnosis.counts;
  if (problem > 0) throw new Error(`${humanCount(problem, 'problem')} found`);
}

function optional(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws UsageError */
function storeOption(text: string | undefined, namespace: string): StoreName | undefined {
  if (text === undefined) return undefined;
  const store = parseStoreName(text, namespace);
  if (store === undefined)
    throw new UsageError(`--store "${text}" names no store: write NAME or NAME.NAMESPACE`);
  return store;
}
