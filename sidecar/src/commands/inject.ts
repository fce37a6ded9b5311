import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asLine } from '@largepayload/crds/json-fields';
import {
  injectManifests,
  type ManifestOutcome,
  ManifestsError,
} from '@largepayload/operator/injection/manifests/inject-manifests';
import { parseStoreName } from '@largepayload/operator/injection/selection';
import packageFile from '../../package.json' with { type: 'json' };
import { type Command, stringOption, type Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { readInput } from '../cli/read-input.ts';

/** bytes; a list of everything in a large cluster is smaller */
const LARGEST_INPUT = 16 * 2 ** 20;
const UNPRIVILEGED = 65_532;

export const command: Command = {
  name: 'inject',
  summary: 'Puts a sidecar into the pods of manifests, for clusters where admission does not do it.',
  options: {
    file: {
      short: 'f',
      placeholder: 'FILE',
      help: 'YAML or JSON, any number of documents; -: standard input',
      required: true,
    },
    store: {
      placeholder: 'STORE',
      help: 'NAME or NAME.NAMESPACE; NAME alone is in the namespace of each pod',
      required: true,
    },
    namespace: {
      placeholder: 'NAMESPACE',
      help: 'of objects that have none; default: that of the store',
    },
    image: {
      placeholder: 'IMAGE',
      help: 'of the sidecar',
      default: `largepayload/payload-store:${packageFile.version}`,
    },
  },
  notes: `Takes pods, and objects of any kind that have a pod template, and writes them to standard output; all other documents as
they are. Standard error has a line for each object. What has a sidecar keeps it. The label largepayload.dev/inject of a pod
template wins, as in a cluster: "false" leaves the pod alone, a store's name takes that store. Threshold and resources
are the defaults, as the store is not read: variables that a container sets itself are kept.
A document that is changed may be laid out anew; its comments stay, unless it has aliases.
With the label on a namespace, in place of this command, templates stay as they are. An injected template is another one: a
Deployment rolls, and temporal-worker-controller makes a new build id of it.
  kustomize build . | payload-store inject -f - --store documents.orders | kubectl apply -f -`,
  run,
};

async function run(values: Values): Promise<void> {
  const file = stringOption(command, values, 'file');
  const store = stringOption(command, values, 'store');
  if (parseStoreName(store, '') === undefined)
    throw new UsageError(`--store ${store} names no store: write NAME or NAME.NAMESPACE`);
  const namespace = typeof values.namespace === 'string' ? values.namespace : undefined;
  const settings = {
    image: stringOption(command, values, 'image'),
    imagePullPolicy: 'IfNotPresent',
    // Those of the pod's service account count only for a pod that has none of its own.
    imagePullSecrets: [],
    runAsUser: UNPRIVILEGED,
    version: packageFile.version,
  };
  const input = await readInput(file, LARGEST_INPUT);
  const { text, outcomes } = injected(input, file, { store, namespace, settings });
  await pipeline(Readable.from([text]), process.stdout, { end: false });
  process.stderr.write(report(outcomes));
}

function injected(text: string, file: string, options: Parameters<typeof injectManifests>[1]) {
  try {
    return injectManifests(text, options);
  } catch (error) {
    if (!(error instanceof ManifestsError)) throw error;
    throw new UsageError(`${file === '-' ? 'standard input' : file}: ${error.message}`);
  }
}

function report(outcomes: readonly ManifestOutcome[]): string {
  if (outcomes.length === 0) return 'no pods and no pod templates found\n';
  const lines = outcomes.flatMap(({ object, kind, message, warnings }) => [
    `${object}: ${kind === 'injected' ? `sidecar of ${message}` : message}`,
    ...warnings.map((warning) => `${object}: warning: ${warning}`),
  ]);
  return lines.map((line) => `${asLine(line)}\n`).join('');
}
