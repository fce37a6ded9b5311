import { runCommand } from '@largepayload/tools/run-command';
import { type NodeAddresses, SERVICE_SUBNET } from './addresses.ts';
import type { NodeSpace } from './node-space.ts';

/** Joins the nodes by a virtual cable. With a single node both ends are in that node. */
export async function connectNodes(
  spaces: readonly NodeSpace[],
  addresses: readonly NodeAddresses[],
): Promise<void> {
  const [first, second] = spaces;
  if (first === undefined) return;
  const otherEnd = second === undefined ? ['loose-end'] : ['eth0', 'netns', `${second.initPid}`];
  // `ip` runs with the process ids of this machine, by which it finds the other network.
  await ip(first, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', ...otherEnd);
  if (second === undefined) await ip(first, 'link', 'set', 'loose-end', 'up');
  await Promise.all(spaces.map((space, index) => configure(space, index, addresses)));
}

async function configure(space: NodeSpace, index: number, nodes: readonly NodeAddresses[]): Promise<void> {
  const others = nodes.filter((_, other) => other !== index);
  await space.run('bash', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  await ip(space, 'address', 'add', `${nodes[index]?.address}/24`, 'dev', 'eth0');
  await ip(space, 'link', 'set', 'eth0', 'up');
  // A packet to a Service has to have a route before its destination is replaced.
  await ip(space, 'route', 'add', SERVICE_SUBNET, 'dev', 'eth0');
  for (const { address, podSubnet } of others) await ip(space, 'route', 'add', podSubnet, 'via', address);
  // Packets to other networks fail at once instead of waiting for a time limit.
  await ip(space, 'route', 'add', 'unreachable', 'default');
}

async function ip(space: NodeSpace, ...args: string[]): Promise<void> {
  const [command = '', ...prefix] = space.networkPrefix;
  await runCommand(command, [...prefix, 'ip', ...args]);
}
