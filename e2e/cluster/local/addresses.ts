/** Every cluster has the same addresses, since its network is separate from those of other clusters and of the machine. */
export const SERVICE_SUBNET = '10.202.0.0/16';
/** The Service `kubernetes`, always the first address. */
export const KUBERNETES_SERVICE = '10.202.0.1';
export const POD_SUBNETS = '10.201.0.0/16';
export const API_SERVER_PORT = 6443;

export interface NodeAddresses {
  readonly name: string;
  readonly address: string;
  readonly podSubnet: string;
}

export function nodeAddresses(count: number): NodeAddresses[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `node${index}`,
    address: `10.200.0.${index + 1}`,
    podSubnet: `10.201.${index}.0/24`,
  }));
}
