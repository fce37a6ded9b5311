import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * Who a request comes from, as far as shares of places and memory are concerned: one name for each caller. Callers have no
 * identity yet, so it is their address; where they get one, it takes the address's place here.
 */
export function peerOf({ socket }: Pick<IncomingMessage, 'socket'>): string {
  return addressGroup(socket.remoteAddress ?? '');
}

/**
 * The addresses that one machine has at its disposal: an IPv4 address, or an IPv6 network of 64 bits, as those are handed
 * out whole. An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  return isIPv6(plain) ? `${networkOf(plain)}::/64` : address;
}

/** The first four groups of an IPv6 address. */
function networkOf(address: string): string {
  const [before = '', after] = address.split('::');
  const head = groupsOf(before);
  const tail = after === undefined ? [] : groupsOf(after);
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return [...head, ...zeros, ...tail]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

function groupsOf(text: string): string[] {
  if (text === '') return [];
  // The last 32 bits may be written as an IPv4 address; they are beyond the network, so any two groups stand in for them.
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
