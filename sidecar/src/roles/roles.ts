import type { Role, RoleName } from './role.ts';

/** A role is loaded when a process takes it: the build makes a file of each. */
export const ROLES: Readonly<Record<RoleName, () => Promise<Role>>> = {
  standalone: async () => (await import('./standalone.ts')).standalone,
  gateway: async () => (await import('./gateway.ts')).gateway,
  reaper: async () => (await import('./reaper.ts')).reaper,
};
