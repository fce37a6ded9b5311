import { BlockList, isIP } from 'node:net';

export interface ListenAddress {
  /** empty: all interfaces, IPv4 and, where the machine has it, IPv6 */
  readonly host: string;
  /** 0: any free one */
  readonly port: number;
}

/** `HOST:PORT`, an IPv6 host in brackets, or `:PORT`. @throws Error that says what is wrong */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new Error(
      `"${text}" is not HOST:PORT; examples: 127.0.0.1:8577, [::1]:8577, 127.0.0.1:0 for any free port, :8577 for all interfaces`,
    );
  }
  return { host, port };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only programs on this machine can reach the host. Other names than localhost may resolve to anything. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version === 0 ? host === 'localhost' : LOOPBACK.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
