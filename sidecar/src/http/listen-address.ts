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

export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
