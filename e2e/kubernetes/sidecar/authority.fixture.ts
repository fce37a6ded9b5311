import { slowly } from '../faults/slowly.fixture.ts';
import { operatorKubectl } from '../fixtures/operator.fixture.ts';
import type { StoreBed } from '../fixtures/store.fixture.ts';
import { type Place, verdicts } from './served-certificates.fixture.ts';

const AUTHORITY = 'secret/largepayload-ca';
/**
 * ms: the operator looks at its authority once a minute, and the kubelet brings a changed ConfigMap or Secret into a pod when it next
 * looks at the pod, which it does every 60 to 90 s. On a busy machine each takes a few times as long.
 */
export const STEP_LIMIT = 420_000;

/** Completes a rotation that a run which was ended has left. */
export async function completeRotation(): Promise<void> {
  const keys = '--output=go-template={{range $key, $value := .data}}{{$key}} {{end}}';
  await slowly(async () => {
    const authorities = await operatorKubectl('get', AUTHORITY, '--ignore-not-found', keys);
    if (!/next|previous/.test(authorities)) return true;
    await pretendToWait();
    return undefined;
  }, STEP_LIMIT);
}

/** Asks for a new authority, and waits until a store of the bed publishes it beside the old one. @returns both, the new one last */
export async function beginRotation(bed: StoreBed, store: string): Promise<readonly [string, string]> {
  const [before = ''] = await publishedBy(bed, store);
  await operatorKubectl('annotate', AUTHORITY, '--overwrite', `largepayload.dev/rotate=e2e-${Date.now()}`);
  return await slowly(async () => {
    const [after, ...more] = (await publishedBy(bed, store)).filter((authority) => authority !== before);
    return after !== undefined && more.length === 0 ? ([before, after] as const) : undefined;
  }, STEP_LIMIT);
}

/** Makes the step of a rotation seem old enough for the next one, as docs/certificates.md describes. */
export async function pretendToWait(): Promise<void> {
  const since = new Date(Date.now() - 2 * 3_600_000).toISOString();
  await operatorKubectl('annotate', AUTHORITY, '--overwrite', `largepayload.dev/since=${since}`);
}

/** The certificates in the store's ConfigMap. */
export async function publishedBy(bed: StoreBed, store: string): Promise<string[]> {
  const path = '--output=jsonpath={.data.ca\\.crt}';
  return certificatesIn(await bed.kubectl('get', 'configmap', `${store}-ca`, path));
}

/** Waits until the store publishes this authority alone. */
export async function untilPublishedAlone(bed: StoreBed, store: string, authority: string): Promise<void> {
  await slowly(
    async () => ((await publishedBy(bed, store)).join() === authority ? true : undefined),
    STEP_LIMIT,
  );
}

/** Waits until the file of a sidecar has so many certificates. */
export async function untilRead(
  bed: StoreBed,
  sidecar: { readonly pod: string; readonly container: string; readonly file: string },
  count: number,
): Promise<void> {
  const script = `process.stdout.write(fs.readFileSync("${sidecar.file}"))`;
  const command = ['/nodejs/bin/node', '-e', script];
  await slowly(async () => {
    const pem = await bed.kubectl('exec', sidecar.pod, `--container=${sidecar.container}`, '--', ...command);
    return certificatesIn(pem).length === count ? true : undefined;
  }, STEP_LIMIT);
}

/** @throws Error with the verdicts when they stay other than wanted */
export async function untilVerdicts(
  place: Place,
  authority: string,
  isWanted: (verdicts: readonly string[]) => boolean,
): Promise<void> {
  let seen: readonly string[] = [];
  await slowly(async () => {
    seen = await verdicts(place, authority);
    return isWanted(seen) || undefined;
  }, STEP_LIMIT).catch((error) => Promise.reject(new Error(`gateways: ${seen}`, { cause: error })));
}

function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
