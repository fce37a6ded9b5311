import { STORE_LABEL } from '@largepayload/operator/stores/labels';
import type { StoreBed } from '../fixtures/store.fixture.ts';

export interface PodState {
  readonly name: string;
  readonly restarts: number;
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
  }[];
}

/** The pods of a store that are not ending, by name. */
export async function podsOf(bed: StoreBed, store: string, component?: string): Promise<readonly PodState[]> {
  const labels = [
    `${STORE_LABEL}=${store}`,
    ...(component ? [`app.kubernetes.io/component=${component}`] : []),
  ];
  const { items } = await bed.json<Pods>('get', 'pods', `--selector=${labels}`);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }) => ({
      name: metadata.name,
      restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** The names of the objects of one kind that belong to a store. */
export async function namesOf(bed: StoreBed, store: string, kind: string): Promise<readonly string[]> {
  const names = await bed.kubectl('get', kind, `--selector=${STORE_LABEL}=${store}`, '--output=name');
  return names
    .split('\n')
    .filter((name) => name !== '')
    .map((name) => name.slice(name.indexOf('/') + 1))
    .sort();
}
