import { once } from 'node:events';
import { connect } from 'node:tls';
import { COMPONENT_LABEL, STORE_LABEL } from '@largepayload/operator/stores/labels';
import { StoreBed } from '../fixtures/store.fixture.ts';

/** ms */
const CONNECT_LIMIT = 10_000;

/** A bed, for the gateways of its namespace; or the cluster, for all of them. */
export type Place = Pick<StoreBed, 'kubectl'>;

interface GatewayPod {
  readonly metadata: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  readonly status: { readonly podIP?: string };
}

/** Of each gateway: `verified`, or why its certificate is not one of this authority for the gateway's Service. */
export async function verdicts(place: Place, authority: string): Promise<string[]> {
  const scope = place instanceof StoreBed ? [] : ['--all-namespaces'];
  const selector = `--selector=${COMPONENT_LABEL}=gateway`;
  const pods = await place.kubectl('get', 'pods', ...scope, selector, '--output=json');
  const { items } = JSON.parse(pods) as { readonly items: readonly GatewayPod[] };
  return await Promise.all(items.map((pod) => verdict(pod, authority)));
}

async function verdict({ metadata, status: { podIP: host } }: GatewayPod, ca: string): Promise<string> {
  const servername = `${metadata.labels[STORE_LABEL]}-gateway.${metadata.namespace}.svc`;
  if (host === undefined) return `${servername}: no address yet`;
  const options = {
    host,
    port: 8577,
    servername,
    ca,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false,
  } as const;
  const socket = connect(options);
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(CONNECT_LIMIT) });
    if (socket.authorized) return 'verified';
    return `${servername} ${host}: ${socket.authorizationError}, ${socket.getPeerCertificate().issuer.CN}`;
  } catch (error) {
    return `${servername} ${host}: ${error}`;
  } finally {
    socket.destroy();
  }
}
