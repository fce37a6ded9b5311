import { nearest } from '@largepayload/crds/suggest';
import { INJECT_LABEL, STORE_ANNOTATION } from '../../injection/names.ts';
import { parseStoreName, type StoreName, selectStore } from '../../injection/selection.ts';
import type { ObjectMeta } from '../../kubernetes/api.ts';
import { type Finding, ok, problem, unknown, warning } from '../finding.ts';
import { operatorFacts } from '../operator-facts.ts';
import { valueIn } from '../reading.ts';
import { type Situation, storeText } from '../situation.ts';
import { labelCommand } from './label-command.ts';

interface Subject {
  readonly situation: Situation;
  readonly meta: ObjectMeta;
}

type Rule = (subject: Subject) => Finding | undefined;

/** Whether the namespace of the workers is there and asks for injection. The first rule that has a finding speaks. */
export function checkNamespace(situation: Situation): readonly Finding[] {
  const { namespaceObject: reading } = situation;
  if (reading.kind === 'unreadable') return [unknown(reading.why)];
  if (reading.kind !== 'found') return [absent(situation)];
  const subject = { situation, meta: reading.value.metadata };
  for (const rule of RULES) {
    const finding = rule(subject);
    if (finding !== undefined) return [finding];
  }
  return [];
}

function absent({ namespace, namespaces }: Situation): Finding {
  const near = nearest(namespace, valueIn(namespaces) ?? []);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return problem(`there is no namespace "${namespace}"${hint}`, 'kubectl get namespaces');
}

const terminating: Rule = ({ meta }) =>
  meta.deletionTimestamp === undefined
    ? undefined
    : problem('the namespace is being deleted: no pods can be made in it');

const excluded: Rule = ({ situation, meta: { name } }) => {
  const operator = valueIn(situation.operator);
  const isOperators = operator !== undefined && operatorFacts(operator).namespace === name;
  if (name !== 'kube-system' && !isOperators) return undefined;
  const what = isOperators ? "the operator's namespace" : 'kube-system';
  return problem(
    `pods of ${what} are never injected, whatever its labels`,
    'run the workers in another namespace',
  );
};

const misspelt: Rule = ({ situation, meta }) => {
  if (meta.labels?.[INJECT_LABEL] !== undefined) return undefined;
  const { namespace } = situation;
  const value = meta.annotations?.[INJECT_LABEL];
  if (value !== undefined) {
    // An annotation may have any text, which must not get into a command.
    const store = parseStoreName(value, namespace) === undefined ? 'STORE' : value;
    return problem(
      `${INJECT_LABEL} is an annotation of the namespace, and has to be a label`,
      `kubectl label namespace ${namespace} ${INJECT_LABEL}=${store}`,
    );
  }
  const key = Object.keys(meta.labels ?? {}).find((each) => nearest(each, [INJECT_LABEL]) !== undefined);
  if (key === undefined) return undefined;
  return problem(
    `the namespace has the label ${key}, and the one that counts is ${INJECT_LABEL}`,
    `kubectl label namespace ${namespace} ${INJECT_LABEL}=${meta.labels?.[key]} ${key}-`,
  );
};

const unlabelled: Rule = ({ situation, meta }) => {
  if (meta.labels?.[INJECT_LABEL] !== undefined) return undefined;
  const pods = valueIn(situation.pods)?.items ?? [];
  const labelled = pods.filter((pod) => pod.metadata.labels?.[INJECT_LABEL] !== undefined);
  if (labelled.length > 0)
    return ok(`the namespace has no label ${INJECT_LABEL}; pods with this label are injected`);
  return problem(
    `neither the namespace nor a pod of it has the label ${INJECT_LABEL}, so nothing is injected`,
    labelCommand(situation.namespace, situation.asked),
  );
};

const invalid: Rule = ({ meta }) => {
  const selection = selectStore(meta, { namespace: meta.name });
  if (selection.kind !== 'invalid') return undefined;
  return problem(selection.message, `kubectl get namespace ${meta.name} --show-labels`);
};

const optedOut: Rule = ({ meta }) => {
  if (selectStore(meta, { namespace: meta.name }).kind !== 'optedOut') return undefined;
  return warning(
    'the namespace opts out by the label "false": only pods with a label of their own are injected',
    `kubectl label --overwrite namespace ${meta.name} ${INJECT_LABEL}=STORE`,
  );
};

const otherStore: Rule = ({ situation: { asked, namespace }, meta }) => {
  const selection = selectStore(meta, { namespace });
  if (asked === undefined || selection.kind !== 'store' || isSame(asked, selection)) return undefined;
  return warning(
    `the namespace asks for the store ${storeText(selection)}, and not for ${storeText(asked)}`,
    labelCommand(namespace, asked),
  );
};

const ignoredAnnotation: Rule = ({ meta }) => {
  const label = meta.labels?.[INJECT_LABEL];
  if (meta.annotations?.[STORE_ANNOTATION] === undefined || label === 'true') return undefined;
  return warning(
    `the annotation ${STORE_ANNOTATION} has no effect beside the label ${INJECT_LABEL}=${label}`,
    `kubectl label --overwrite namespace ${meta.name} ${INJECT_LABEL}=true`,
  );
};

const labelled: Rule = ({ situation: { namespace }, meta }) => {
  const selection = selectStore(meta, { namespace });
  return selection.kind === 'store' ? ok(`the label asks for the store ${storeText(selection)}`) : undefined;
};

const RULES: readonly Rule[] = [
  terminating,
  excluded,
  misspelt,
  unlabelled,
  invalid,
  optedOut,
  otherStore,
  ignoredAnnotation,
  labelled,
];

function isSame(one: StoreName, other: StoreName): boolean {
  return storeText(one) === storeText(other);
}
