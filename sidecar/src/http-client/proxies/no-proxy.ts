import { BlockList, isIP } from 'node:net';

type Matches = (host: string, port: number) => boolean;

/**
 * The hosts that are reached without a proxy, by NO_PROXY: hosts (their subdomains too), `.suffix`, `*.suffix`, `*`, addresses, `10.0.0.0/8`,
 * `10.0.0.1-10.0.0.9`, each with or without `:port`, between commas or spaces.
 * @returns also the entries that name no host, as they were written
 */
export function parseNoProxy(text: string) {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  const rules = entries.map((entry) => ({ entry, matches: ruleOf(entry.toLowerCase()) }));
  return {
    includes: (hostname: string, port: number) => {
      const host = withoutBrackets(hostname.toLowerCase());
      return rules.some(({ matches }) => matches?.(host, port) ?? false);
    },
    notUnderstood: rules.filter(({ matches }) => matches === undefined).map(({ entry }) => entry),
  };
}

function ruleOf(entry: string): Matches | undefined {
  if (entry === '*') return () => true;
  const { name = entry, port: portText } =
    /^(?<name>\[.*\]|[^:]*):(?<port>[0-9]+)$/.exec(entry)?.groups ?? {};
  const port = portText === undefined ? undefined : Number(portText);
  const matches = hostRule(withoutBrackets(name));
  return matches && ((host, atPort) => (port === undefined || port === atPort) && matches(host));
}

function hostRule(name: string): ((host: string) => boolean) | undefined {
  const addresses = addressesOf(name);
  if (addresses !== undefined) {
    return (host) => isIP(host) !== 0 && addresses.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
  }
  const domain = name.replace(/^\*?\./, '');
  if (!/^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/.test(domain)) return undefined;
  return (host) => host === domain || host.endsWith(`.${domain}`);
}

/** `undefined`: the text is no address and no range. */
function addressesOf(text: string): BlockList | undefined {
  const list = new BlockList();
  const [network = '', bits] = text.split('/');
  const [first = '', last] = text.split('-');
  const kind = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
  try {
    if (isIP(text) !== 0) list.addAddress(text, kind(text));
    else if (bits !== undefined && isIP(network) !== 0 && /^[0-9]{1,3}$/.test(bits))
      list.addSubnet(network, Number(bits), kind(network));
    else if (last !== undefined && isIP(first) !== 0 && isIP(first) === isIP(last))
      list.addRange(first, last, kind(first));
    else return undefined;
  } catch {
    // The number of bits or the order of the range is impossible.
    return undefined;
  }
  return list;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
