import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '@largepayload/tools/run-command';
import { writeBusyboxArchive } from '../busybox-image.ts';
import { POD_SUBNETS } from './addresses.ts';
import type { NodeParts } from './control-plane.ts';

const PAUSE_IMAGE = 'localhost/pause:1';
/** Default of containerd; below the node's own /run. */
const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

export function startContainerd({ space, addresses, programs }: NodeParts): void {
  const networks = join(space.folder, 'networks');
  mkdirSync(networks, { recursive: true });
  writeJson(join(networks, '10-pods.conflist'), {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        // Every packet of a pod is routed by the node, so that kube-proxy's rules see it; on a bridge that takes a kernel module.
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: addresses.podSubnet }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
  const config = join(space.folder, 'containerd.toml');
  // Without CAP_SYS_RESOURCE runc cannot lower the score of a container below that of containerd.
  const text = `version = 3
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "${networks}"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    runtime_path = "${join(programs.containerd, 'containerd-shim-runc-v2')}"
`;
  writeFileSync(config, text);
  space.startDaemon('containerd', join(programs.containerd, 'containerd'), ['--config', config]);
}

/** Puts the image of a docker-archive where the node's pods find it. */
export async function loadImage({ space, programs }: NodeParts, archive: string): Promise<void> {
  // `ctr` runs outside of the node, so that it finds the file even where the node does not.
  const socket = join(space.folder, 'root', CONTAINERD_SOCKET);
  await runCommand(join(programs.containerd, 'ctr'), [
    '--address',
    socket,
    '--namespace',
    'k8s.io',
    'images',
    'import',
    archive,
  ]);
}

/** Waits for containerd, then loads the pause image, which holds the network of each pod. It is a busybox too. */
export async function loadPauseImage(node: NodeParts): Promise<void> {
  const archive = join(node.space.folder, 'busybox.tar');
  await writeBusyboxArchive(archive, PAUSE_IMAGE);
  await node.space.ready('containerd', () => loadImage(node, archive));
}

export function startKubelet(parts: NodeParts): void {
  const { space, addresses, programs, certificates, firstAddress, cgroup } = parts;
  const config = join(space.folder, 'kubelet.json');
  writeJson(config, {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(certificates, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(certificates, `${addresses.name}.crt`),
    tlsPrivateKeyFile: join(certificates, `${addresses.name}.key`),
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    clusterDNS: [firstAddress],
    clusterDomain: 'cluster.local',
    // The machine's DNS servers cannot be reached from the nodes.
    resolvConf: '',
    volumePluginDir: '/var/lib/kubelet/volume-plugins',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    // Off: on a disk that is nearly full it would remove images that cannot be pulled again.
    imageGCHighThresholdPercent: 100,
  });
  space.startDaemon('kubelet', join(programs.kubernetes, 'kubelet'), [
    `--config=${config}`,
    `--kubeconfig=${join(certificates, `${addresses.name}.conf`)}`,
    `--hostname-override=${addresses.name}`,
    `--node-ip=${addresses.address}`,
  ]);
}

/** Waits until the kubelet is healthy. @throws Error with the end of its log, when it takes too long */
export async function kubeletReady({ space }: NodeParts): Promise<void> {
  await space.ready('kubelet', async () => {
    await space.run('/bin/busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:10248/healthz');
  });
}

export function startProxy({ space, addresses, programs, certificates }: NodeParts): void {
  const config = join(space.folder, 'kube-proxy.json');
  writeJson(config, {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: join(certificates, 'proxy.conf') },
    mode: 'iptables',
    clusterCIDR: POD_SUBNETS,
    hostnameOverride: addresses.name,
    // The size of the conntrack table is a setting of the machine, so leave it.
    conntrack: { maxPerCore: 0 },
  });
  space.startDaemon('kube-proxy', join(programs.kubernetes, 'kube-proxy'), [`--config=${config}`]);
}

/** JSON is YAML. */
function writeJson(file: string, value: object): void {
  writeFileSync(file, JSON.stringify(value, undefined, 2));
}
