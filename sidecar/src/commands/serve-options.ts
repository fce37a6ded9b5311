import type { Command } from '../cli/command.ts';

export const SERVE_OPTIONS: Command['options'] = {
  config: {
    placeholder: 'FILE',
    help: 'a LargePayloadStore manifest, the same that kubectl apply takes',
    required: true,
  },
  role: {
    placeholder: 'ROLE',
    help: 'what this process does: standalone (everything), gateway (takes and serves payloads) or reaper (deletes what has expired)',
    default: 'standalone',
  },
  'data-dir': {
    placeholder: 'DIR',
    help: 'the folder that payloads are kept in; stands in for the claim of spec.storage.filesystem',
  },
  'credentials-dir': {
    placeholder: 'DIR',
    help: 'S3 credentials as files: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, perhaps AWS_SESSION_TOKEN; read again when they change [default: as the AWS SDK finds them]',
  },
  'tls-dir': {
    placeholder: 'DIR',
    help: 'tls.crt and tls.key, as a Secret has them, perhaps later; read again when they change. The data port then takes TLS beside plain HTTP',
  },
  'claimed-file': {
    placeholder: 'FILE',
    help: "for gateway and reaper: has the id of the store's storage, once there is one; the process then uses no other storage, and begins none",
  },
  'new-storage-id': {
    placeholder: 'ID',
    help: 'for a gateway: id of a storage that it begins the store in, the same for all gateways of the store [default: random]',
  },
  'accept-clock': {
    help: "for one start: the clock is right, whatever the storage's clock.json says",
  },
  'resource-uid': {
    placeholder: 'UID',
    help: "for gateway and reaper: of the resource whose process this is; another one's is refused while this one uses the storage [default: the store's namespace and name, as for standalone]",
  },
  'cluster-name': {
    placeholder: 'NAME',
    help: 'for gateway and reaper, with --resource-uid: the name of this cluster, which a process that is refused is told',
  },
  'cache-size': {
    placeholder: 'SIZE',
    help: 'for standalone: memory for a cache of payloads, from 1Mi to 16Gi; a gateway has spec.gateway.cacheSize [default: no cache]',
  },
  'kubernetes-dir': {
    placeholder: 'DIR',
    help: 'for a gateway that takes tokens of pods: "token" for the API server, and its authority "ca.crt"; read again when they are used',
  },
  'kubernetes-url': {
    placeholder: 'URL',
    help: 'of the API server, with --kubernetes-dir, whose keys verify those tokens [default: https://kubernetes.default.svc]',
  },
  listen: {
    placeholder: 'HOST:PORT',
    help: 'data port, which a reaper does not have; :8577 for all interfaces',
    default: '127.0.0.1:8577',
  },
  'metrics-listen': {
    placeholder: 'HOST:PORT',
    help: '/metrics, /healthz, /readyz and /status',
    default: '127.0.0.1:8578',
  },
  'admin-listen': {
    placeholder: 'HOST:PORT',
    help: 'admin port, on loopback only',
    default: '127.0.0.1:9099',
  },
  'allow-remote': {
    help: 'let the data and metrics ports listen beyond loopback; only a gateway with spec.gateway.authentication asks for tokens',
  },
};
