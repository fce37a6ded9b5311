import { at, listAt, textAt } from '@largepayload/crds';
import { INJECTED_ANNOTATION, SIDECAR_CONTAINER } from './names.ts';
import { type RawPod, sidecarOf } from './raw-pod.ts';
import type { StoreName } from './selection.ts';
import { audienceOf, type Sidecar } from './sidecar.ts';
import { type Skip, skipOf } from './skip-reasons.ts';

/** What a pod in scope has of its store; the messages are for people, and have no name of a pod in them. */
export type PodVerdict =
  | { readonly kind: 'injected' }
  /** it has no sidecar that works with the store, and a new pod would get one */
  | {
      readonly kind: 'missed';
      readonly reason: 'NoSidecar' | 'RestartPolicyRemoved' | 'OtherStore';
      readonly message: string;
    }
  | { readonly kind: 'outdated'; readonly reason: 'SidecarChanged'; readonly message: string }
  | ({ readonly kind: 'skipped' } & Skip);

interface Facts {
  readonly pod: RawPod;
  /** the container of our name */
  readonly container: unknown;
  readonly expected: StoreName;
  readonly sidecar: Pick<Sidecar, 'annotation'> | undefined;
}

type Predicate = (facts: Facts) => PodVerdict | undefined;

const isSkipped: Predicate = ({ pod }) => {
  const skip = skipOf(pod);
  return skip && { kind: 'skipped', ...skip };
};

const hasNoSidecar: Predicate = ({ container }) =>
  container === undefined ? missed('NoSidecar', 'it has no sidecar') : undefined;

/** Its containers never start: as an init container the sidecar has to end first. */
const lacksRestartPolicy: Predicate = ({ container }) =>
  textAt(container, 'restartPolicy') === 'Always'
    ? undefined
    : missed(
        'RestartPolicyRemoved',
        `its init container ${SIDECAR_CONTAINER} has no restartPolicy: Always, so its other containers do not start: another admission webhook removes the field`,
      );

const hasOtherStore: Predicate = ({ pod, container, expected }) =>
  audiencesOf(pod, container).includes(audienceOf(expected))
    ? undefined
    : missed(
        'OtherStore',
        `its sidecar has no token for the store ${expected.name}.${expected.namespace}: it was made for another one`,
      );

/** A sidecar without the annotation was written by hand: its manifest decides what it is. */
const hasOutdatedSidecar: Predicate = ({ pod, sidecar }) => {
  const hash = injectedHash(pod);
  if (sidecar === undefined || hash === undefined || hash === sidecar.annotation.hash) return undefined;
  const message = 'its sidecar is not the one that a new pod would get';
  return { kind: 'outdated', reason: 'SidecarChanged', message };
};

const PREDICATES: readonly Predicate[] = [
  isSkipped,
  hasNoSidecar,
  lacksRestartPolicy,
  hasOtherStore,
  hasOutdatedSidecar,
];

/**
 * What a pod that exists has of the store that it asks for.
 * @param pod as JSON, with its spec
 * @param sidecar what a new pod would get; `undefined`: unknown, and no sidecar counts as outdated
 */
export function judgePod(
  pod: RawPod,
  expected: StoreName,
  sidecar: Pick<Sidecar, 'annotation'> | undefined,
): PodVerdict {
  const facts = { pod, container: sidecarOf(pod), expected, sidecar };
  for (const predicate of PREDICATES) {
    const verdict = predicate(facts);
    if (verdict !== undefined) return verdict;
  }
  return { kind: 'injected' };
}

function missed(reason: Extract<PodVerdict, { kind: 'missed' }>['reason'], message: string): PodVerdict {
  return { kind: 'missed', reason, message };
}

/** The gateways go by the audience, whatever annotations and names say. */
function audiencesOf({ spec }: RawPod, container: unknown): readonly (string | undefined)[] {
  const mounted = new Set(listAt(container, 'volumeMounts').map(({ name }) => name));
  return listAt(spec, 'volumes')
    .filter(({ name }) => mounted.has(name))
    .flatMap((volume) => listAt(volume, 'projected', 'sources'))
    .map((source) => textAt(source, 'serviceAccountToken', 'audience'));
}

function injectedHash({ metadata }: RawPod): string | undefined {
  const text = textAt(metadata, 'annotations', INJECTED_ANNOTATION);
  if (text === undefined) return undefined;
  try {
    const hash = at(JSON.parse(text), 'hash');
    return typeof hash === 'string' ? hash : '';
  } catch {
    return '';
  }
}
