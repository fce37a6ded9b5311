import { gateway } from './gateway.ts';
import { reaper } from './reaper.ts';
import type { Role } from './role.ts';
import { standalone } from './standalone.ts';

export const ROLES: readonly Role[] = [standalone, gateway, reaper];
